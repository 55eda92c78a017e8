//! The environment variables of a plugin.

use gate_config::Environment;
use serde_json::Value;

/// The environment variables that a plugin sees.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    /// The variables that `vm_config` sets.
    set: Vec<(String, String)>,
    /// The variables of the host that the plugin sees; all if `None`.
    of_host: Option<Vec<String>>,
}

impl Variables {
    /// The variables of a plugin with this `vm_config`.
    pub(crate) fn from_vm_config(vm: &Value) -> Self {
        let field = |value: &Value, snake: &str, camel: &str| {
            let field = value.get(snake).or_else(|| value.get(camel));
            field.cloned().unwrap_or_default()
        };
        let variables = field(vm, "environment_variables", "environmentVariables");
        let set = field(&variables, "key_values", "keyValues");
        let of_host = field(&variables, "host_env_keys", "hostEnvKeys");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let set = set.as_object().into_iter().flatten();
        let of_host = of_host.as_array().into_iter().flatten();
        Self {
            set: set
                .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
                .collect(),
            of_host: Some(of_host.filter_map(text).collect()),
        }
    }

    /// The value of the variable `name`; `host` is the environment of the host.
    pub(crate) fn get(&self, name: &str, host: Environment<'_>) -> Option<String> {
        let set = self.set.iter().find(|(known, _)| known == name);
        if let Some((_, value)) = set {
            return Some(value.clone());
        }
        let mut visible = self.of_host.iter().flatten();
        let is_visible = self.of_host.is_none() || visible.any(|known| known == name);
        is_visible.then(|| host(name))?
    }
}
