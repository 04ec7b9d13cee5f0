//! The query protocol: a form as request, XML as answer.

/// A call.
pub(crate) struct Query {
    pub(crate) action: String,
    pub(crate) version: String,
    values: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(form: &str) -> Query {
        let mut values: Vec<(String, String)> = form
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        let mut take = |name: &str| {
            let at = values.iter().position(|(known, _)| known == name);
            at.map(|at| values.remove(at).1).unwrap_or_default()
        };
        let (action, version) = (take("Action"), take("Version"));
        Query { action, version, values }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The entries of a list: `Name.member.1`, and what follows `suffix` after the number.
    pub(crate) fn list(&self, name: &str, suffix: &str) -> Vec<&str> {
        (1..).map_while(|at| self.value(&format!("{name}.member.{at}{suffix}"))).collect()
    }

    /// The names of parameters that are none of these, without the numbers of lists.
    pub(crate) fn unknown(&self, known: &[&str]) -> Vec<&str> {
        let name = |raw: &'_ str| raw.split('.').next().unwrap_or_default().to_owned();
        self.values.iter().map(|(raw, _)| raw.as_str()).filter(|raw| !known.contains(&&*name(raw))).collect()
    }
}

fn decode(raw: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// An element.
pub(crate) fn tag(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

/// A list of elements, in the query protocol's way.
pub(crate) fn members<T>(
    name: &str,
    of: impl IntoIterator<Item = T>,
    mut show: impl FnMut(T) -> String,
) -> String {
    tag(name, &of.into_iter().map(|one| tag("member", &show(one))).collect::<String>())
}

pub(crate) fn result(query: &Query, content: &str) -> String {
    let action = &query.action;
    let content = tag(&format!("{action}Result"), content)
        + "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>";
    let version = &query.version;
    format!(
        "<{action}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/{version}/\">{content}</{action}Response>"
    )
}

pub(crate) fn error(version: &str, code: &str, message: &str) -> String {
    let error = tag("Type", "Sender") + &tag("Code", code) + &tag("Message", message);
    let content = tag("Error", &error) + &tag("RequestId", "1");
    format!(
        "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/{version}/\">{content}</ErrorResponse>"
    )
}
