//! What a check looks at, from its evaluated keys.

use std::time::Duration;

use steadfast_resources::host::files::AbsolutePath;
use steadfast_resources::host::services::UnitName;
use steadfast_resources::{Value, split_words};

use super::common::seconds;
use crate::check::Probe;
use crate::diagnostics::Span;
use crate::parse::Item;

/// The keys given: name, value (`None` where it is not known, when checking), and where it is.
pub(super) type Values<'i> = Vec<(&'static str, Option<Value>, &'i Item)>;

/// What is wrong with a check.
#[derive(Debug)]
pub(super) struct Faulty {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Where; `None` for the check as a whole.
    pub(super) span: Option<Span>,
}

/// The key called `name`: its value, if it is given and known, and where it is.
fn given<'v>(values: &'v Values<'_>, name: &str) -> Option<(Option<&'v Value>, Span)> {
    let (_, value, item) = values.iter().find(|(known, ..)| *known == name)?;
    Some((value.as_ref(), item.span))
}

/// The time at `name`, from a second to `maximum` seconds; `None` where it is not known.
pub(super) fn time(
    values: &Values<'_>,
    name: &str,
    default: u64,
    maximum: u64,
) -> Result<Option<Duration>, Faulty> {
    let (value, span) = match given(values, name) {
        None => return Ok(Some(Duration::from_secs(default))),
        Some((None, _)) => return Ok(None),
        Some((Some(value), span)) => (value, span),
    };
    match seconds(value).filter(|time| (1..=maximum).contains(time)) {
        Some(time) => Ok(Some(Duration::from_secs(time))),
        None => Err(Faulty {
            message: format!("`{name}` must be a time from \"1s\" to {}", longest(maximum)),
            hint: Some("write it as \"30s\", \"5m\" or \"1h30m\"".to_owned()),
            span: Some(span),
        }),
    }
}

fn longest(seconds: u64) -> String {
    match seconds {
        seconds if seconds % 86400 == 0 => format!("\"{}d\"", seconds / 86400),
        seconds => format!("\"{}h\"", seconds / 3600),
    }
}

/// The longest `max_age`, in seconds.
const MAXIMUM_AGE: u64 = 365 * 86400;

/// The probe; `None` where not all of it is known.
pub(super) fn probe(values: &Values<'_>) -> Result<Option<Probe>, Faulty> {
    let text = |name: &str| match given(values, name) {
        Some((Some(Value::Text(text)), span)) => Some((text.to_string(), span)),
        _ => None,
    };
    let faulty = |message: String, hint: &str, span| Faulty {
        message,
        hint: Some(hint.to_owned()),
        span: Some(span),
    };
    let contains = text("contains").map(|(text, _)| text);
    // Something given whose value is not known leaves the whole check open.
    let open = values.iter().any(|(_, value, _)| value.is_none());
    let known = |probe| (!open).then_some(probe);
    if let Some((url, span)) = text("http") {
        let status = status(values)?;
        if let Err((message, hint)) = check_url(&url) {
            return Err(faulty(message, hint, span));
        }
        return Ok(known(Probe::Http { url, status, contains }));
    }
    if let Some((text, span)) = text("tcp") {
        let Some((host, port)) = host_and_port(&text) else {
            let hint = "write `tcp = \"127.0.0.1:5432\"`; an IPv6 address goes in brackets: \
                        \"[::1]:5432\"";
            return Err(faulty(format!("{text:?} is no `host:port`"), hint, span));
        };
        return Ok(known(Probe::Tcp { host, port }));
    }
    if let Some((Some(value), span)) = given(values, "command") {
        let argv = argv(value).map_err(|message| {
            faulty(message, "write the words as a list: [\"program\", \"argument\"]", span)
        })?;
        return Ok(known(Probe::Command { argv, contains }));
    }
    if let Some((name, span)) = text("unit") {
        let unit = UnitName::from_title(&name).map_err(|error| {
            faulty(error.to_string(), "write the unit's name, such as \"nginx\"", span)
        })?;
        return Ok(known(Probe::Unit(unit)));
    }
    if let Some((path, span)) = text("file") {
        let path = AbsolutePath::parse(&path)
            .map_err(|error| faulty(error.to_string(), "write an absolute path", span))?;
        let max_age = match given(values, "max_age") {
            Some(_) => time(values, "max_age", 1, MAXIMUM_AGE)?,
            None => None,
        };
        return Ok(known(Probe::File { path, max_age }));
    }
    // The probe itself is not known; what goes with it is judged nevertheless.
    status(values)?;
    Ok(None)
}

fn argv(value: &Value) -> Result<Vec<String>, String> {
    let argv = match value {
        Value::Text(text) => split_words(text)?,
        Value::List(values) => values
            .iter()
            .filter_map(|value| match value {
                Value::Text(text) => Some(text.to_string()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    if argv.first().is_none_or(String::is_empty) {
        return Err("the command is empty".to_owned());
    }
    if argv.iter().any(|word| word.contains('\0')) {
        return Err("a command cannot contain a NUL character".to_owned());
    }
    Ok(argv)
}

/// The ranges of status codes that pass.
fn status(values: &Values<'_>) -> Result<Vec<(u16, u16)>, Faulty> {
    let Some((Some(value), span)) = given(values, "status") else { return Ok(vec![(200, 399)]) };
    let single = std::slice::from_ref(value);
    let list = match value {
        Value::List(values) => values.as_slice(),
        _ => single,
    };
    let wrong = || Faulty {
        message: "`status` must be codes from 100 to 599".to_owned(),
        hint: Some("write `status = 200`, `[200, 401]` or `\"200..299\"`".to_owned()),
        span: Some(span),
    };
    if list.is_empty() {
        return Err(wrong());
    }
    list.iter().map(|value| range(value).ok_or_else(wrong)).collect()
}

fn range(value: &Value) -> Option<(u16, u16)> {
    let code = |text: &str| text.trim().parse::<u16>().ok();
    let (first, last) = match value {
        Value::Integer(code) => {
            let code = u16::try_from(*code).ok()?;
            (code, code)
        }
        Value::Text(text) => match text.split_once("..") {
            Some((first, last)) => (code(first)?, code(last)?),
            None => (code(text)?, code(text)?),
        },
        _ => return None,
    };
    (first >= 100 && first <= last && last <= 599).then_some((first, last))
}

/// Whether `url` can be asked for: its scheme, that it has a host, and that nothing in it would end
/// the request line early. The rest is for the one who asks.
fn check_url(url: &str) -> Result<(), (String, &'static str)> {
    const FORM: &str = "write the whole address: \"http://127.0.0.1:8080/health\"";
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Err((format!("{url:?} is no http or https address"), FORM));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        let hint = "a check asks without credentials; use a `command`";
        return Err(("an address with a user or password in it".to_owned(), hint));
    }
    let bare = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            if port.parse::<u16>().is_err() {
                return Err((format!("{port:?} is no port"), FORM));
            }
            host
        }
        _ => authority,
    };
    if bare.is_empty() {
        return Err((format!("{url:?} has no host"), FORM));
    }
    if url.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        let hint = "write a blank in an address as `%20`; `urlencode` does it";
        return Err((format!("{url:?} has a blank in it"), hint));
    }
    Ok(())
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => {
            let address = rest.strip_suffix(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            address
        }
        None if host.contains(':') => return None,
        None => host,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    (!host.is_empty() && host.bytes().all(plain)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, good) in [
            ("http://127.0.0.1/", true),
            ("https://example.com:8443/health?x=1", true),
            ("http://[::1]/", true),
            ("http://[::1]:80/", true),
            ("ftp://example.com/", false),
            ("example.com", false),
            ("http://", false),
            ("http:///path", false),
            ("http://example.com:80000/", false),
            ("http://example.com:/", false),
            ("http://me:secret@example.com/", false),
            ("http://example.com/a b", false),
            ("http://example.com/\r\nX: y", false),
        ] {
            assert_eq!(check_url(url).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn hosts_with_ports() {
        for (text, expected) in [
            ("127.0.0.1:5432", Some(("127.0.0.1", 5432))),
            ("db.example.com:1", Some(("db.example.com", 1))),
            ("[::1]:22", Some(("::1", 22))),
            ("::1:22", None),
            ("[::g]:22", None),
            ("localhost", None),
            (":80", None),
            ("localhost:0", None),
            ("localhost:65536", None),
            ("http://x:80", None),
        ] {
            let found = host_and_port(text);
            let found = found.as_ref().map(|(host, port)| (host.as_str(), *port));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn status_codes() {
        for (value, expected) in [
            (Value::Integer(200), Some((200, 200))),
            (Value::text("200..299"), Some((200, 299))),
            (Value::text("204"), Some((204, 204))),
            (Value::text("299..200"), None),
            (Value::Integer(99), None),
            (Value::Integer(600), None),
            (Value::text("2xx"), None),
        ] {
            assert_eq!(range(&value), expected, "{value:?}");
        }
    }
}
