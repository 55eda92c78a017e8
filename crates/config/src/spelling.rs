//! The two spellings of a field's name.

/// The spellings of the field `name` (in `snake_case`): one or two.
pub(crate) fn all(name: &str) -> Vec<String> {
    let camel = camel(name);
    if camel == name {
        vec![camel]
    } else {
        vec![camel, name.to_owned()]
    }
}

/// The name in lowerCamelCase, as protobuf converts it.
#[must_use]
pub fn camel(snake: &str) -> String {
    let mut camel = String::with_capacity(snake.len());
    let mut upper = false;
    for letter in snake.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_several_words_has_two_spellings() {
        assert_eq!(all("uri"), ["uri"]);
        assert_eq!(all("google_re2"), ["googleRe2", "google_re2"]);
        assert_eq!(all("retry_back_off"), ["retryBackOff", "retry_back_off"]);
    }
}
