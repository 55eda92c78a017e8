//! Configuration that Envoy gets while it runs: xDS over the file system.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// A file that Envoy watches for resources of one type.
pub(crate) struct Discovery {
    directory: PathBuf,
    version: AtomicU32,
}

impl Discovery {
    /// A file with these resources.
    pub(crate) fn new(resources: &[Value]) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::SeqCst);
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("discovery-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let discovery = Self {
            directory,
            version: AtomicU32::new(0),
        };
        discovery.publish(resources);
        discovery
    }

    /// Replaces the resources.
    pub(crate) fn publish(&self, resources: &[Value]) {
        let version = self.version.fetch_add(1, Ordering::SeqCst).to_string();
        let content = json!({"version_info": version, "resources": resources});
        // Envoy reads the file when another one is moved into its place.
        let new = self.directory.join("new");
        fs::write(&new, content.to_string()).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// The `ConfigSource` that makes Envoy watch the file.
    pub(crate) fn source(&self) -> Value {
        json!({"resource_api_version": "V3", "path_config_source": {"path": self.file()}})
    }

    fn file(&self) -> PathBuf {
        self.directory.join("resources.json")
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
