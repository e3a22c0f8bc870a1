use proptest::prelude::*;

use super::*;
use crate::diagnostics::Context;

fn parsed(text: &str) -> (usize, Document) {
    let context = Context::default();
    let source = context.sources.add("x.toml", text);
    let document = parse(&context, source);
    (context.finish().len(), document)
}

#[test]
fn written_order_and_spans() {
    let text = "z = 1\n[b.\"x y\"]\nk = \"v\"\n[a]\nq = '''w'''\n";
    let (errors, document) = parsed(text);
    assert_eq!(errors, 0);
    let keys: Vec<&str> = document.entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["z", "b", "a"]);
    let Node::Table(inner) = &document.entries[1].item.node else { panic!("a table") };
    assert_eq!(inner[0].key.as_str(), "x y");
    assert_eq!(&text[inner[0].key_span.range()], "\"x y\"");
    let Node::Table(attributes) = &inner[0].item.node else { panic!("a table") };
    assert_eq!(&text[attributes[0].item.span.range()], "\"v\"");
}

#[test]
fn strings_without_escapes_are_slices_of_the_file() {
    let text = "a = \"\"\"\nplain\ntext\"\"\"\nb = \"x\\ty\"\n";
    let context = Context::default();
    let source = context.sources.add("x.toml", text);
    let document = parse(&context, source);
    let file = Arc::clone(&context.sources.get(source).text);
    let inside = |text: &str| file.as_bytes().as_ptr_range().contains(&text.as_ptr());
    let texts: Vec<&str> =
        document.entries.iter().map(|e| e.item.as_text().unwrap().as_str()).collect();
    assert_eq!(texts, ["plain\ntext", "x\ty"]);
    assert!(inside(texts[0]) && !inside(texts[1]));
}

#[test]
fn absurd_nesting_is_refused() {
    for text in [
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("[{}]", vec!["a"; 100_000].join(".")),
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}", "{a=".repeat(100_000)),
        format!("x = {}1{}", "[".repeat(200), "]".repeat(200)),
    ] {
        let (errors, _) = parsed(&text);
        assert!(errors > 0);
    }
}

/// The tree without the places of tables' headers.
fn shape(entries: &[Entry]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| format!("{} {:?} {:?}", entry.key, entry.key_span, entry.item))
        .collect()
}

#[test]
fn a_file_in_pieces_is_the_same_file() {
    let filler = format!("content = \"\"\"\n{}\"\"\"\n", "line\n".repeat(60_000));
    for (text, in_pieces) in [
        (
            format!(
                "d = 1\n[note.\"/a\"]\n{filler}[bell.b]\n[note.\"/b\"]\n{filler}[note.\"/c\"]\nx.y = 1\n"
            ),
            true,
        ),
        (format!("[note.\"/a\"]\n{filler}[note.\"/b\"]\n{filler}[note.\"/a\"]\n"), false),
        (format!("[note.\"/a\"]\n{filler}[note.\"/b\"]\n{filler}[note]\nx = 1\n"), false),
        (format!("note.x = 1\n[bell.a]\n{filler}[bell.c]\n{filler}[note.b]\n"), false),
        (format!("[[list]]\n{filler}[[list]]\n{filler}[[list]]\n"), false),
        (format!("[a]\n{filler}[b]\n{filler}x = \n"), false),
        (format!("[a]\n{filler}[b]\n{filler}x = 99999999999999999999\n"), false),
    ] {
        let context = Context::default();
        let source = context.sources.add("x.toml", text.as_str());
        let text = Arc::clone(&context.sources.get(source).text);
        let Scan::Pieces(pieces) = scan(&text) else { panic!("not deep") };
        assert!(pieces.len() > 2);
        let found = super::in_pieces(&context, source, &text, &pieces);
        assert_eq!(found.is_some(), in_pieces, "{}", &text[text.len() - 40..]);
        let Some(found) = found else { continue };
        let whole = DeTable::parse(&text).unwrap().into_inner();
        let converter =
            convert::Converter { context: &context, source, text: &text, base: 0, sound: true };
        assert_eq!(shape(&found), shape(&converter.table(whole)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        parsed(&text);
    }

    #[test]
    fn anything_like_toml_is_survived(
        text in r#"([a-c\[\]{}."'=#,\\ \n0-9]|"""|'''|\[note\.|\\u00|true|é){0,60}"#
    ) {
        let context = Context::default();
        let source = context.sources.add("x.toml", text.as_str());
        parse(&context, source);
        for diagnostic in &context.finish() {
            let place = diagnostic.place.as_ref().unwrap();
            prop_assert!(text.get(place.start as usize..place.end as usize).is_some());
            diagnostic.render(false);
        }
    }
}
