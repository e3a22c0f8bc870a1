//! Values with a form of their own: times, URLs, branches, paths.

use std::time::Duration;

/// The longest time that may be written.
const LONGEST: Duration = Duration::from_secs(3650 * 86400);

/// Reads `"90s"`, `"5m"`, `"1h30m"`, `"2d"`: whole numbers with units, the largest unit first.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let form = "write it like \"90s\", \"5m\", \"1h30m\" or \"2d\"";
    let wrong = || format!("{text:?} is not a time; {form}");
    let mut rest = text;
    let mut seconds: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let unit = match after.chars().next() {
            Some('d') => 86400,
            Some('h') => 3600,
            Some('m') => 60,
            Some('s') => 1,
            _ => return Err(wrong()),
        };
        if unit >= last_unit {
            return Err(wrong());
        }
        last_unit = unit;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        seconds = number
            .checked_mul(unit)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(|| format!("{text:?} is too long"))?;
        rest = after.get(1..).unwrap_or_default();
    }
    let duration = Duration::from_secs(seconds);
    if text.is_empty() {
        Err(wrong())
    } else if duration > LONGEST {
        Err(format!("{text:?} is too long"))
    } else {
        Ok(duration)
    }
}

/// Checks where a repository may be. The message never repeats the URL, which may hold a secret.
pub(super) fn url(text: &str) -> Result<(), String> {
    let strange = |character: char| character.is_control() || character.is_whitespace();
    if text.is_empty() || text.contains(strange) {
        return Err("it is empty or has blanks in it".to_owned());
    }
    if text.starts_with('/') {
        return Ok(());
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        // ssh's short form, user@host:path. A `::` would name a helper program.
        let short = text.split_once(':').is_some_and(|(host, path)| {
            !host.is_empty() && !host.contains('/') && !path.is_empty() && !path.starts_with(':')
        });
        return if short && !text.starts_with('-') {
            Ok(())
        } else {
            Err("it is neither a URL nor an absolute path".to_owned())
        };
    };
    let host = rest.split('/').next().unwrap_or_default();
    let login = host.rsplit_once('@').map(|(login, _)| login);
    let place = host.rsplit_once('@').map_or(host, |(_, place)| place);
    match scheme {
        "https" | "http" if login.is_some() => {
            Err("it has credentials in it, and it is shown to people; put them into token_file"
                .to_owned())
        }
        "ssh" if login.is_some_and(|login| login.contains(':')) => {
            Err("it has a password in it; use ssh_key".to_owned())
        }
        "https" | "ssh" if place.is_empty() || place.starts_with('-') => {
            Err("it names no host".to_owned())
        }
        "file" if !rest.starts_with('/') => Err("the path must be absolute".to_owned()),
        "https" | "ssh" | "file" => Ok(()),
        "http" if is_loopback(place) => Ok(()),
        "http" => Err("http can be read and changed on the way; use https".to_owned()),
        other => Err(format!("{other}:// is not supported; use https, ssh or an absolute path")),
    }
}

fn is_loopback(place: &str) -> bool {
    let host = match place.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Checks a branch's name by the rules that matter here (git-check-ref-format(1)).
pub(super) fn branch(text: &str) -> Result<(), String> {
    let strange = |c: char| {
        c.is_control() || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    };
    let wrong = text.is_empty()
        || text == "@"
        || text.starts_with(['-', '/'])
        || text.ends_with(['/', '.'])
        || text.contains(strange)
        || ["..", "//", "@{"].iter().any(|part| text.contains(part))
        || text.split('/').any(|part| {
            let lock =
                std::path::Path::new(part).extension().is_some_and(|suffix| suffix == "lock");
            part.starts_with('.') || lock
        });
    if wrong { Err(format!("{text:?} is not the name of a branch")) } else { Ok(()) }
}

/// Checks a directory inside the repository.
pub(super) fn repository_path(text: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with('/') || text.contains('\0') {
        return Err(format!("{text:?} must be relative to the repository's top; \".\" is the top"));
    }
    if text.split('/').any(|part| part == "..") {
        return Err(format!("{text:?} leads out of the repository"));
    }
    Ok(())
}

/// Checks a path on this machine.
pub(super) fn absolute_path(text: &str) -> Result<(), String> {
    if text.starts_with('/') && !text.contains('\0') {
        Ok(())
    } else {
        Err(format!("{text:?} is not an absolute path; nothing is read from the current directory"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("0s", Some(0)),
            ("60s", Some(60)),
            ("5m", Some(300)),
            ("2h", Some(7200)),
            ("1h30m", Some(5400)),
            ("1d1h1m1s", Some(90061)),
            ("", None),
            ("5", None),
            ("m", None),
            ("5 m", None),
            ("-5m", None),
            ("1.5h", None),
            ("30m1h", None),
            ("1m1m", None),
            ("5min", None),
            ("5ä", None),
            ("4000d", None),
            ("99999999999999999999s", None),
            ("999999999999999999d", None),
        ] {
            assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn urls() {
        for good in [
            "https://git.example.com/ops/policy.git",
            "https://git.example.com:8443/policy.git",
            "ssh://git@git.example.com:2222/policy.git",
            "git@git.example.com:ops/policy.git",
            "git.example.com:policy.git",
            "file:///srv/policy.git",
            "/srv/policy.git",
            "http://localhost:3000/policy.git",
            "http://127.0.0.1/policy.git",
            "http://[::1]:80/policy.git",
        ] {
            assert_eq!(url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "policy.git",
            "./policy",
            "../policy",
            "policy dir:x",
            "git://git.example.com/policy.git",
            "ext::sh -c id",
            "ext::id",
            "http://git.example.com/policy.git",
            "http://localhost.example.com/policy.git",
            "https://user:hunter2@git.example.com/policy.git",
            "https://hunter2@git.example.com/policy.git",
            "ssh://git:hunter2@git.example.com/policy.git",
            "ssh://-oProxyCommand=id/policy.git",
            "-oProxyCommand=id:policy",
            "https:///policy.git",
            "file://srv/policy.git",
        ] {
            let error = url(bad).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn branches_and_paths() {
        for good in ["main", "release/1.2", "@x", "é", "locked"] {
            assert_eq!(branch(good), Ok(()), "{good}");
        }
        for bad in [
            "", "-x", "/x", "x/", "x.", "a..b", "a b", "a:b", "a//b", "@", "a@{b", ".a", "a/.b",
            "a.lock", "a.lock/b",
        ] {
            assert!(branch(bad).is_err(), "{bad}");
        }
        for good in [".", "hosts", "a/b", "..a"] {
            assert_eq!(repository_path(good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "..", "a/../b", "a/.."] {
            assert!(repository_path(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_composed_is_read(days in 0_u64..100, hours in 0_u64..100, minutes in 0_u64..100, seconds in 0_u64..100) {
            let text = format!("{days}d{hours}h{minutes}m{seconds}s");
            let expected = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
            prop_assert_eq!(duration(&text), Ok(Duration::from_secs(expected)));
        }

        #[test]
        fn nothing_panics(text in ".{0,40}") {
            let _ = (duration(&text), url(&text), branch(&text), repository_path(&text));
        }
    }
}
