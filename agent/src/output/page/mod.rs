//! The history as one page for a browser.
//!
//! The page holds all it needs: data as JSON, style and script inline, allowed by their digests, and
//! nothing else is (its Content-Security-Policy forbids every request). Whatever comes from the
//! machine is data to the script, which sets it as text and never as markup. Its size is bounded:
//! what is too much is left out, and the page says so.

mod data;

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub use data::{PageData, PageLimits};

const BODY: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
///
/// # Errors
/// The data cannot be written as JSON, which does not happen to plain strings and numbers.
pub fn page(data: &PageData) -> Result<String, serde_json::Error> {
    let json = harmless(&serde_json::to_string(data)?);
    let mut page =
        String::with_capacity(json.len() + BODY.len() + STYLE.len() + SCRIPT.len() + 2048);
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        source(SCRIPT),
        source(STYLE)
    );
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Steadfast: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{BODY}\
         <script type=\"application/json\" id=\"data\">{json}</script>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        escaped(data.host())
    );
    Ok(page)
}

/// A script or style as a Content-Security-Policy names it.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// JSON in which nothing can end the element that it stands in, or begin another.
fn harmless(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(safe, "\\u{:04x}", u32::from(letter));
            }
            _ => safe.push(letter),
        }
    }
    safe
}

/// Text as markup.
fn escaped(text: &str) -> String {
    let text = super::printable(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
