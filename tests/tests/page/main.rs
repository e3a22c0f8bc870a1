//! The history's page in a browser that has no network: it shows what it should, runs nothing that
//! comes from the machine, and can be used without a mouse.
//!
//! `tests/run` installs Chromium. `STEADFAST_SCREENSHOTS=DIR` keeps the pictures.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

mod browser;
mod scene;

use std::collections::BTreeSet;

use serde_json::json;

use browser::Browser;

const TAB: u32 = 9;
const ENTER: u32 = 13;

fn rows(browser: &mut Browser, table: &str) -> Vec<String> {
    let rows = browser.value(&format!(
        "[...document.querySelectorAll('#{table} tbody tr')].map(row => row.innerText)"
    ));
    serde_json::from_value(rows).expect("rows")
}

#[test]
fn the_page_shows_what_drifted_and_asks_nobody_for_anything() {
    let (_directory, path) = scene::written(300);
    let mut browser = Browser::open(&path);
    let verdict = browser.value("document.getElementById('verdict').innerText");
    let verdict = verdict.as_str().expect("text");
    assert!(verdict.contains("1 resource drifted, not mended"), "{verdict}");
    assert!(verdict.contains("sshd_config"), "{verdict}");
    let first = rows(&mut browser, "episodes").remove(0);
    for word in [
        "open",
        "/etc/ssh/sshd_config",
        "vim.basic (pid 4312, alice as root, session 3)",
        "Not corrected: paused",
        "-PermitRootLogin yes",
        "+PermitRootLogin no",
        "0666",
    ] {
        assert!(first.contains(word), "{word}: {first}");
    }
    // Nothing but the page itself was loaded, and nothing of it failed.
    assert_eq!(browser.requests(), [format!("file://{}", path.display())]);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // Names and contents of the machine are text.
    assert_eq!(browser.value("typeof window.broken"), "undefined");
    assert_eq!(
        browser.value(
            "document.querySelectorAll('img, main script, iframe, a[href^=\"http\"]').length"
        ),
        0
    );
    let hostile = rows(&mut browser, "episodes").into_iter().find(|row| row.contains("onerror"));
    let hostile = hostile.expect("the hostile title is shown");
    assert!(hostile.contains("\\u{202e}") && !hostile.contains('\u{202e}'), "{hostile}");
    assert!(!hostile.contains('\u{1b}'), "{hostile}");
    // The policy is in force: a script that somebody adds does not run.
    browser.value(
        "{ const added = document.createElement('script'); added.textContent = 'window.broken = 2';
           document.body.append(added); 1 }",
    );
    assert_eq!(browser.value("typeof window.broken"), "undefined");
}

#[test]
fn typing_finds_and_filters() {
    let (_directory, path) = scene::written(300);
    let mut browser = Browser::open(&path);
    assert_eq!((rows(&mut browser, "episodes").len(), rows(&mut browser, "runs").len()), (8, 100));
    browser.value("document.getElementById('words').focus()");
    browser.type_text("alice sshd");
    let found = rows(&mut browser, "episodes");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|row| row.contains("sshd_config")));
    assert_eq!(rows(&mut browser, "runs").len(), 2, "the runs that saw it");
    let told = browser.value("document.getElementById('found').innerText");
    assert_eq!(told, "2 episodes of drift and 2 runs found.");
    browser.value("document.getElementById('reset').click()");
    browser.value("new Promise(done => setTimeout(done))");
    assert_eq!(rows(&mut browser, "episodes").len(), 8);
    let choose = |browser: &mut Browser, field: &str, choice: &str| {
        browser.value(&format!(
            "{{ const field = document.getElementById('{field}'); field.value = '{choice}';
               field.dispatchEvent(new Event('input', {{ bubbles: true }})); 1 }}"
        ));
    };
    choose(&mut browser, "state", "open");
    assert_eq!(rows(&mut browser, "episodes").len(), 1);
    choose(&mut browser, "state", "");
    choose(&mut browser, "outcome", "failed");
    let failed = rows(&mut browser, "runs");
    assert!(failed.len() == 1 && failed[0].contains("failed"), "{failed:?}");
    choose(&mut browser, "outcome", "");
    browser.value("document.getElementById('more-runs').click()");
    assert_eq!(rows(&mut browser, "runs").len(), 200);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn everything_is_reached_and_opened_by_keyboard() {
    let (_directory, path) = scene::written(120);
    let mut browser = Browser::open(&path);
    let mut reached = BTreeSet::new();
    let mut order = Vec::new();
    for _ in 0..80 {
        browser.press("Tab", TAB);
        let focused = browser.value(
            "(() => { const at = document.activeElement;
               if (at === document.body) return '';
               const style = getComputedStyle(at);
               const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
               return [at.id || at.className || at.tagName, at.tagName, seen].join('|'); })()",
        );
        let focused = focused.as_str().expect("text").to_owned();
        if focused.is_empty() {
            break;
        }
        assert!(focused.ends_with("|true"), "the focus is not to be seen: {focused}");
        reached.insert(focused.clone());
        order.push(focused);
    }
    assert!(order[0].starts_with("skip|"), "{order:?}");
    for what in [
        "words|",
        "state|",
        "outcome|",
        "reset|",
        "SUMMARY|SUMMARY",
        "link code|BUTTON",
        "more-runs|",
    ] {
        assert!(reached.iter().any(|one| one.starts_with(what)), "{what}: {order:?}");
    }
    // The first of the skip link's ways leads past the search.
    browser.value("document.querySelector('.skip').focus()");
    browser.press("Enter", ENTER);
    let details = "document.querySelectorAll('#episodes details')[1]";
    assert_eq!(browser.value(&format!("{details}.open")), false);
    browser.value(&format!("{details}.querySelector('summary').focus()"));
    browser.call(
        "Input.dispatchKeyEvent",
        &json!({ "type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": ENTER, "text": "\r" }),
    );
    browser.call(
        "Input.dispatchKeyEvent",
        &json!({ "type": "keyUp", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": ENTER }),
    );
    assert_eq!(browser.value(&format!("{details}.open")), true);
}

#[test]
fn a_screen_reader_is_told_what_there_is() {
    let (_directory, path) = scene::written(120);
    let mut browser = Browser::open(&path);
    browser.call("Accessibility.enable", &json!({}));
    let tree = browser.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("nodes");
    let has = |role: &str, name: &str| {
        nodes.iter().any(|node| {
            node["role"]["value"] == role
                && node["name"]["value"].as_str().is_some_and(|text| text.contains(name))
        })
    };
    for (role, name) in [
        ("search", "Search the history"),
        ("searchbox", "Search"),
        ("combobox", "Drift"),
        ("combobox", "Runs"),
        ("heading", "History of web1.example.org"),
        ("region", "Drift"),
        ("region", "Runs"),
        ("table", "Episodes of drift"),
        ("table", "Runs, the newest first"),
        ("columnheader", "Changed by"),
        ("rowheader", "sshd_config"),
        ("image", "Timeline. 120 runs from"),
    ] {
        assert!(has(role, name), "no {role} {name:?}");
    }
    for role in ["banner", "main", "contentinfo", "status"] {
        assert!(nodes.iter().any(|node| node["role"]["value"] == role), "no {role}");
    }
    for node in nodes.iter().filter(|node| node["ignored"] == false) {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        let named = node["name"]["value"].as_str().is_some_and(|name| !name.is_empty());
        let must = ["button", "link", "combobox", "searchbox", "image", "table"].contains(&role);
        assert!(named || !must, "a {role} without a name: {node}");
    }
    let language = browser.value("document.documentElement.lang");
    assert_eq!(language, "en");
}

/// Contrast of text by the rule of WCAG 2 (4.5 to 1), in both schemes.
const CONTRAST: &str = r"
(() => {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (value) => { value /= 255; return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest('svg, script, noscript')) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(element.tagName + '.' + element.className + ' ' + ratio.toFixed(2) + ' ' + element.textContent.slice(0, 40));
  }
  return poor;
})()";

#[test]
fn it_can_be_read_in_light_and_in_dark() {
    let (_directory, path) = scene::written(300);
    let mut browser = Browser::open(&path);
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        grounds.push(browser.value("getComputedStyle(document.body).backgroundColor"));
        assert_eq!(browser.value(CONTRAST), json!([]), "{scheme}");
        assert!(browser.picture(&format!("history-{scheme}")).len() > 10_000);
        browser.value("document.getElementById('runs-section').scrollIntoView()");
        browser.picture(&format!("history-{scheme}-runs"));
        browser.value("scrollTo(0, 0)");
    }
    assert_ne!(grounds[0], grounds[1]);
    // A narrow window does not make the page itself wider than it.
    let narrow = json!({ "width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": false });
    browser.call("Emulation.setDeviceMetricsOverride", &narrow);
    browser.picture("history-narrow");
    assert_eq!(browser.value("document.documentElement.scrollWidth <= 360"), true);
}

#[test]
fn ten_thousand_runs_are_no_burden() {
    let (_directory, path) = scene::written(12_000);
    let size = std::fs::metadata(&path).expect("the page").len();
    assert!(size < 4 << 20, "{size} bytes");
    let mut browser = Browser::open(&path);
    let bounds = browser.value("document.getElementById('bounds').innerText");
    assert!(
        bounds.as_str().is_some_and(|text| text.contains("the newest 10000 of 12000 runs")),
        "{bounds}"
    );
    browser.value("document.getElementById('words').focus()");
    browser.type_text("nginx");
    assert_eq!(rows(&mut browser, "episodes").len(), 2);
    let took = browser.value(
        "(() => { const begun = performance.now(); const field = document.getElementById('words');
           field.value = ''; field.dispatchEvent(new Event('input', { bubbles: true }));
           return performance.now() - begun; })()",
    );
    assert!(took.as_f64().is_some_and(|took| took < 2_000.0), "{took} ms");
}
