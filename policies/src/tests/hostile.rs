//! Hostile and mistaken repositories: each is answered within a second of a release build and with
//! little memory, mostly by an error that says what is too much. (A build without optimisation on a busy
//! machine gets thirty; what is not bounded takes minutes.)

use std::fmt::Write;

use super::{Memory, inputs, registry};

const SITE: &str = "[site]\ndata = [\"common\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"p\"]\n";

/// How much processor time an answer may take, in seconds.
const DEADLINE: f64 = if cfg!(debug_assertions) { 30.0 } else { 1.0 };

/// How much memory the process may use at its peak, in KiB. (The inputs take a part of it.)
const MEMORY: u64 = 1024 << 10;

/// What this thread has used of the processor, in seconds.
fn processor_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split(' ').next().unwrap();
    nanoseconds.parse::<f64>().unwrap() / 1e9
}

/// The peak of memory is counted from here.
#[expect(clippy::disallowed_methods, reason = "it is the kernel that is told")]
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn peak_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What evaluation says of `files`: the number of resources, or its errors.
#[expect(clippy::print_stderr, reason = "the figures are shown where a test fails")]
fn evaluated(files: &[(String, String)]) -> Result<usize, String> {
    let repository = Memory::new(&with_site(files));
    let registry = registry();
    let mut times = [0.0; 3];
    forget_peak();
    let began = processor_time();
    let outcome = crate::evaluate(&repository, &inputs(), &registry);
    times[0] = processor_time() - began;
    let validated = crate::validate(&repository, &registry);
    times[1] = processor_time() - began - times[0];
    let told = match outcome {
        Ok(catalog) => Ok(catalog.resources.len()),
        Err(diagnostics) => Err(diagnostics.render(false)),
    };
    validated.render(false);
    times[2] = processor_time() - began - times[0] - times[1];
    eprintln!("evaluate, validate, render: {times:.3?} s, {} MiB", peak_memory() >> 10);
    // Validation makes the catalogs of several hosts.
    let allowed = [DEADLINE, 6.0 * DEADLINE, DEADLINE];
    assert!(times.iter().zip(allowed).all(|(time, most)| *time < most), "it took {times:?} s");
    assert!(peak_memory() < MEMORY, "it took {} MiB", peak_memory() >> 10);
    told
}

fn file(path: &str, text: impl Into<String>) -> Vec<(String, String)> {
    vec![(path.to_owned(), text.into())]
}

fn policy(text: impl Into<String>) -> Vec<(String, String)> {
    file("policies/p.toml", text)
}

fn template(text: &str) -> Vec<(String, String)> {
    templates(&[("t", text)])
}

fn templates(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut files = file(
        "policies/p/policy.toml",
        "[params]\nlist = [1, 2]\n[note.\"/a\"]\ntemplate = \"t\"\n",
    );
    files
        .extend(list.iter().map(|(name, text)| (format!("policies/p/{name}"), (*text).to_owned())));
    files
}

fn expression(text: &str) -> Vec<(String, String)> {
    policy(format!("[note.\"/a\"]\ncontent = '''{{{{ {text} }}}}'''\n"))
}

fn many(count: usize, mut line: impl FnMut(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        text.push_str(&line(index));
        text
    })
}

/// `NAME: files => what the answer contains`; a number is the count of resources.
macro_rules! hostile {
    ($($name:ident: $files:expr => $expected:expr;)*) => {
        $(#[test]
        fn $name() {
            expect(evaluated(&$files), &$expected.to_string());
        })*
    };
}

fn expect(answer: Result<usize, String>, expected: &str) {
    match answer {
        Ok(count) => assert_eq!(count.to_string(), expected),
        Err(text) => {
            let head: String = text.chars().take(2000).collect();
            assert!(text.contains(expected), "no {expected:?} in {head}");
        }
    }
}

hostile! {
    deep_arrays: policy(format!("x = {}", "[".repeat(10_000))) => "this is not TOML";
    deep_tables: policy(format!("x = {}", "{a=".repeat(10_000))) => "this is not TOML";
    deep_keys: policy(format!("{}a = 1\n", "a.".repeat(10_000))) => "a key has more than 16 parts";
    deep_data: file("data/common.toml", format!("x = {}{}\n", "[".repeat(10_000), "]".repeat(10_000))) => "this is not TOML";
    deep_expression: expression(&format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000))) => "more than 1000 operators";
    deep_template: template(&"{% if true %}".repeat(10_000)) => "this is not Jinja";
    many_operators: expression(&format!("1{}", " + 1".repeat(990))) => 1;
    many_dots: expression(&format!("facts{}", ".a".repeat(100_000))) => "more than 1000 operators";
    many_branches: template(&format!("{{% if params.list is string %}}{}{{% endif %}}", "{% elif params.list is string %}x".repeat(490))) => 1;
    too_many_branches: template(&format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(100_000))) => "more than 500 `elif`";
    many_blocks: template(&"{% if params.list %}{{ params.list }}{% endif %}".repeat(20_000)) => 1;
    many_operators_in_a_condition: policy(format!("[note.\"/a\"]\nwhen = \"true{}\"\n", " and true".repeat(100_000))) => "more than 1000 operators";
    a_megabyte_of_text: policy(format!("[note.\"/a\"]\ncontent = \"{}\"\n", "x".repeat(1 << 20))) => 1;
    a_megabyte_to_interpolate: policy(format!("[note.\"/a\"]\ncontent = \"{}\"\n", "{{ 1 }} {".repeat(120_000))) => 1;
    a_megabyte_of_concatenations: expression(&format!("'x'{}", " ~ 'x'".repeat(150_000))) => "more than 1000 operators";
    a_large_file: policy(format!("[note.\"/a\"]\ncontent = '''\n{}'''\n", "a line of text that says nothing at all\n".repeat(1_250_000))) => 1;
    a_large_file_of_values: policy("a=1\n".repeat(12_000_000)) => "more than 1000000 values";
    a_large_file_of_brackets: policy("]".repeat(50_000_000)) => "more than 1000000 values";
    a_large_file_of_nonsense: policy("no sense ".repeat(5_000_000)) => "more than 1000000 values";
    a_large_file_of_errors: policy("= =\n".repeat(500_000)) => "this is not TOML";
    many_errors: policy(many(100_000, |index| format!("[note.\"/{index}\"]\nnope = {index}\n"))) => "only the first 2000 of";
    many_errors_on_one_line: policy(format!("note = {{ {} }}\n", many(100_000, |index| format!("\"/{index}\" = {{ nope = {index} }}, ")))) => "only the first 2000 of";
    many_duplicates: policy(many(20_000, |index| format!("[note.\"/{}\"]\n", index / 2))) => "defined twice";
    many_bad_titles: policy(many(20_000, |index| format!("[note.\"x{index}\"]\ncontent = \"{{{{ a{index} }}}}\"\n"))) => "only the first 2000 of";
    many_secrets: policy(many(30_000, |index| format!("[note.\"/{index}\"]\ncontent = \"x{index}\"\nsensitive = true\nmode = 1\n"))) => "only the first 2000 of";
    long_titles: policy(many(20_000, |index| format!("[note.\"/{index}/{}\"]\n", "x".repeat(4000)))) => 20_000;
    a_title_too_long: policy(format!("[note.\"/{}\"]\n", "x".repeat(1 << 20))) => "longer than 4096 bytes";
    ten_thousand_items: policy("[note.\"/{{ item }}\"]\nfor_each = \"range(10000)\"\ncontent = \"{{ item }}\"\n") => 10_000;
    a_million_items: policy("[note.\"/{{ item }}\"]\nfor_each = \"range(1000000)\"\n") => "too many elements";
    items_times_items: policy(many(100, |index| format!("[note.\"/{index}/{{{{ item }}}}\"]\nfor_each = \"range(100000)\"\n"))) => "more than 200000 resources";
    many_resources: policy(many(100_000, |index| format!("[note.\"/{index}\"]\n"))) => 100_000;
    a_million_parameters_in_data: file("data/common.toml", many(200_000, |index| format!("k{index} = {index}\n"))) => "there is no policy";
    many_parameters: policy(format!("[params]\n{}", many(20_000, |index| format!("k{index} = {index}\n")))) => 0;
    a_large_table: policy(format!("[note.\"/a\"]\npairs = {{ {} }}\n", many(50_000, |index| format!("k{index} = \"x\", ")))) => 1;
    a_policy_that_uses_itself: policy("[module.m]\nsource = \"p\"\n") => "without end: p → p";
    policies_that_use_each_other: [policy("[module.m]\nsource = \"q\"\n"), file("policies/q.toml", "[module.m]\nsource = \"p\"\n")].concat() => "without end";
    modules_that_fan_out: (0..30).map(|level| (
        format!("policies/{}.toml", if level == 0 { "p".to_owned() } else { format!("p{level}") }),
        format!("[module.a]\nsource = \"p{0}\"\n[module.b]\nsource = \"p{0}\"\n", level + 1),
    )).chain(file("policies/p30.toml", "[note.\"/a\"]\n")).collect::<Vec<_>>() => "use modules more than 50000 times";
    a_chain_of_policies: (0..3000).map(|level| (
        format!("policies/{}.toml", if level == 0 { "p".to_owned() } else { format!("p{level}") }),
        format!("[module.a]\nsource = \"p{}\"\n", (level + 1) % 3000),
    )).collect::<Vec<_>>() => "without end";
    a_template_that_includes_itself: template("{% include 't' %}") => "include each other without end";
    templates_that_include_each_other: templates(&[("t", "{% include 'u' %}{% include 'u' %}"), ("u", "{% include 't' %}{% include 't' %}")]) => "include each other without end";
    a_template_that_extends_itself: template("{% extends 't' %}") => "t";
    a_template_that_imports_itself: template("{% import 't' as t %}{{ t }}") => "without end";
    a_macro_that_calls_itself: template("{% macro m(a) %}{{ m(a ~ a) }}{{ m(a) }}{% endmacro %}{{ m('xxxxxxxx') }}") => "without end";
    a_recursive_loop: template("{% for a in [[1]] recursive %}{{ loop([a]) }}{{ loop([a]) }}{% endfor %}") => "error";
    an_endless_range: template("{% for i in range(10**9) %}x{% endfor %}") => "too many elements";
    endless_loops: template("{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}{% endfor %}{% endfor %}{% endfor %}") => "too many steps";
    endless_loops_everywhere: [
        policy("[note.\"/{{ item }}\"]\nfor_each = \"range(10000)\"\ncontent = \"{% for i in range(90000) %}{% if i %}{% endif %}{% endfor %}\"\n")
    ].concat() => "too much work";
    a_text_that_doubles: template("{% set ns = namespace(a='xxxxxxxxxx') %}{% for i in range(64) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}") => "exceeds 16 MiB";
    a_text_that_doubles_by_hand: template(&format!("{{% set a = 'x' %}}{}", "{% set a = a ~ a %}".repeat(64))) => "exceeds 16 MiB";
    a_text_that_doubles_in_blocks: template(&format!("{{% set a = 'x' %}}{}", "{% set a %}{{ a }}{{ a }}{% endset %}".repeat(64))) => "exceeds 16 MiB";
    a_text_that_doubles_by_default: template(&format!("{{% set a = 'x' %}}{}", "{% set a = (a ~ a)|d('') %}".repeat(36))) => "exceed";
    a_text_that_doubles_as_a_default: template(&format!("{{% set a = 'x' %}}{}", "{% set a = {}.nothing|default(a ~ a) %}".repeat(36))) => "exceed";
    a_text_that_doubles_as_text: template(&format!("{{% set a = 'x' %}}{}", "{% set a = (a ~ a)|string %}".repeat(36))) => "exceed";
    a_list_that_doubles_by_default: template(&format!("{{% set a = [1] %}}{}", "{% set a = (a + a)|default([]) %}".repeat(36))) => "exceed";
    a_sum_that_doubles: template(&format!("{{% set a = 'x' %}}{}", "{% set a = a + a %}".repeat(64))) => "exceeds 16 MiB";
    a_list_that_doubles: template(&format!("{{% set a = [1] %}}{}", "{% set a = a + a %}".repeat(64))) => "exceeds 16 MiB";
    a_billion_laughs: template(&format!("{{% set a = 'ha' %}}{}{{{{ a | to_json }}}}", "{% set a = [a, a, a, a, a, a, a, a, a, a] %}".repeat(30))) => "exceeds 16 MiB";
    a_nest: template("{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% endfor %}") => "nests deeper";
    a_long_text_repeated: expression("'x' * 10**9") => "too large";
    a_list_repeated: expression("[1] * 10**9") => "too large";
    a_list_repeated_and_listed: expression("(range(100000) | list * 900) | list") => "exceeds 16 MiB";
    a_wide_indentation: expression("'a\nb' | indent(10**9)") => "exceeds 16 MiB";
    a_wide_format: expression("'%999999999d' | format(1)") => "exceeds 16 MiB";
    a_wide_batch: expression("[1] | batch(10**9, 'x')") => "exceeds 16 MiB";
    a_wide_slice: expression("[1] | slice(10**9, 'x')") => "exceeds 16 MiB";
    a_long_join: expression("(['x' * 10**6] * 1000) | join(',')") => "exceeds 16 MiB";
    a_long_replacement: expression("('x' * 10**6) | replace('x', 'y' * 10**6)") => "exceeds 16 MiB";
    a_large_regular_expression: expression("'x' | regex_search('(a{1000}){1000}')") => "no regular expression";
    a_nested_regular_expression: expression("('a' * 100000) | regex_search('(a*)*(a|aa)+b')") => 1;
    regular_expressions_in_a_loop: template("{% for i in range(100000) %}{{ 'x' | regex_search('a{900}' ~ i) }}{% endfor %}") => "too much work";
    large_json_in_a_loop: template("{% set a = range(100000) | list %}{% for i in range(100000) %}{{ a | to_json | length }}{% endfor %}") => "too much work";
    a_large_union: expression("range(100000) | union(range(100000, 200000)) | length") => "too much work";
    a_large_filter_result: expression("('x' * 99999999) | upper | length") => "exceeds 16 MiB";
    a_default_that_doubles: template(&format!("{{% set a = 'x' %}}{}", "{% set a = (a ~ a)|d('') %}".repeat(64))) => "exceeds 16 MiB";
    a_default_that_doubles_what_is_missing: template(&format!("{{% set a = 'x' %}}{}", "{% set a = nothing|default(a ~ a) %}".repeat(64))) => "exceeds 16 MiB";
    a_macro_that_doubles: template("{% macro d(x,n) %}{% if n %}{{ d(x ~ x, n - 1) }}{% endif %}{% endmacro %}{{ d('a' * 9000000, 9) }}") => "exceeds 16 MiB";
    a_macro_that_doubles_by_name: template("{% macro d(x,n) %}{% if n %}{{ d(n=n - 1, x=x + x) }}{% endif %}{% endmacro %}{{ d(n=9, **{'x': 'a' * 9000000}) }}") => "exceeds 16 MiB";
    a_macro_whose_default_doubles: template("{% set x = 'a' * 9000000 %}{% macro d(y=x ~ x) %}{{ y | length }}{% endmacro %}{{ d() }}") => "exceeds 16 MiB";
    a_call_that_doubles: template("{% macro d(x, n) %}{% if n %}{% call d(x ~ x, n - 1) %}{% endcall %}{{ caller is defined }}{% endif %}{% endmacro %}{{ d('a' * 9000000, 9) }}") => "exceeds 16 MiB";
    a_recursive_loop_that_doubles: template("{% for x in ['a' * 9000000] recursive %}{{ loop([x ~ x]) }}{% endfor %}") => "exceeds 16 MiB";
    a_recursive_loop_that_doubles_a_list: template("{% for x in [[1, 2]] recursive %}{{ loop([x + x]) }}{% endfor %}") => "without end";
    a_nest_that_doubles: template("{% macro d(x, y, n) %}{% if n %}{{ d([x, x, x, x], [y, y, y, y], n - 1) }}{% else %}{{ x == y }}{% endif %}{% endmacro %}{{ d([1], [1], 11) }}") => "exceeds 16 MiB";
    a_map_that_doubles: template("{% macro d(x, n) %}{% if n %}{{ d({'a': x, 'b': x, 'c': x, 'd': x}, n - 1) }}{% else %}{{ x }}{% endif %}{% endmacro %}{{ d(1, 11) }}") => "exceeds 16 MiB";
    a_dictionary_that_doubles: template("{% set ns = namespace(a=1) %}{% for i in range(60) %}{% set ns.a = dict(x=ns.a, y=ns.a) %}{% endfor %}{{ ns.a }}") => "exceeds 16 MiB";
    constants_that_are_long: template(&format!("{{% if false %}}{}{{% endif %}}", "{{ 'a' * 99999999 }}".repeat(500))) => 1;
    many_long_texts: template(&format!("{{% set x = 'a' * 16000000 %}}{}", many(200, |index| format!("{{% set a{index} = x ~ {index} %}}")))) => "exceed 128 MiB";
    many_long_texts_in_lists: template(&format!("{{% set x = 'a' * 8000000 %}}{}", many(200, |index| format!("{{% set a{index} = [x ~ {index}] %}}")))) => "exceed 128 MiB";
    many_texts_by_default: template(&format!("{{% set x = 'a' * 8000000 %}}{}", many(200, |index| format!("{{% set a{index} = (x ~ {index})|default('') %}}")))) => "exceed 128 MiB";
    many_texts_that_fill_up: template(&format!("{{% set x = 'a' * 8000000 %}}{}", many(200, |index| format!("{{% set a{index} = [1] | batch(2, x ~ {index}) %}}")))) => "exceed 128 MiB";
    many_lists_of_medium_length: template(&format!("{{% set x = range(4999) | list %}}{}", many(2900, |index| format!("{{% set a{index} = x + x %}}")))) => "exceed 128 MiB";
    many_lists_of_medium_length_by_filter: template(&format!("{{% set x = range(9998) | list %}}{}", many(2900, |index| format!("{{% set a{index} = x | reverse %}}")))) => "exceed 128 MiB";
    many_long_lists: template(&format!("{{% set x = range(100000) | list %}}{}", many(2000, |index| format!("{{% set a{index} = x | map('string') | list %}}")))) => "too much work";
    much_written_aside: template("{% set x = 'a' * 16000000 %}{% set y %}{% for i in range(1000) %}{{ x }}{% endfor %}{% endset %}") => "exceed 128 MiB";
    much_text_written_aside: template(&format!("{{% set y %}}{{% for i in range(100000) %}}{}{{% endfor %}}{{% endset %}}", "x".repeat(100_000))) => "exceed 128 MiB";
    many_blanks_written_aside: template(&format!("{{% set y %}}{{% for i in range(100000) -%}}\n{{% raw %}}{}{{% endraw %}}{{% endfor %}}{{% endset %}}", " ".repeat(100_000))) => "exceed 128 MiB";
    much_text_in_a_macro: template(&format!("{{% macro m() %}}{}{{% endmacro %}}{{% for i in range(100000) %}}{{% set y = m() %}}{{% endfor %}}", "x".repeat(100_000))) => "exceed 128 MiB";
    much_text_included: templates(&[("t", "{% set y %}{% for i in range(100000) %}{% include 'u' %}{% endfor %}{% endset %}"), ("u", &"x".repeat(100_000))]) => "too much work";
    comparisons_in_a_loop: template("{% set a = range(100000) | list %}{% set b = range(100000) | list %}{% for i in range(100000) %}{% if a == b %}{% endif %}{% endfor %}") => "too much work";
    searches_in_a_loop: template("{% set a = range(100000) | list %}{% for i in range(100000) %}{% if -1 in a %}{% endif %}{% endfor %}") => "too much work";
    tests_in_a_loop: template("{% set a = range(100000) | list %}{% for i in range(100000) %}{% if a is eq(a) and 'x' is in(a) %}{% endif %}{% endfor %}") => "too much work";
    texts_in_a_loop: template("{% set a = 'x' * 16000000 %}{% for i in range(100000) %}{% if (a ~ i) is string %}{% endif %}{% endfor %}") => "exceed 128 MiB";
    slices_in_a_loop: template("{% set a = 'x' * 16000000 %}{% for i in range(100000) %}{% if a[1:2] or a[-1] %}{% endif %}{% endfor %}") => "too much work";
    methods_in_a_loop: template("{% set a = 'x' * 16000000 %}{% for i in range(100000) %}{% if a.startswith('y') or a.count('y') %}{% endif %}{% endfor %}") => "too much work";
    filters_in_a_loop: template("{% set a = 'x' * 16000000 %}{% for i in range(100000) %}{% if a | length == i or a | wordcount == i %}{% endif %}{% endfor %}") => "too much work";
    slices_of_slices: template("{% set ns = namespace(a=range(100) | list) %}{% for i in range(100000) %}{% set ns.a = ns.a[0:] %}{% endfor %}") => "too much work";
    slices_in_lists: template("{% set ns = namespace(a=[[1]]) %}{% for i in range(50000) %}{% set ns.a = [ns.a[0][0:]] %}{% endfor %}{{ ns.a | length }}") => 1;
    batches_of_batches: template("{% set ns = namespace(a=[1]) %}{% for i in range(100000) %}{% set ns.a = ns.a | batch(1) %}{% endfor %}") => "nests deeper";
    a_circle: template("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}") => "cannot hold a namespace";
    a_circle_of_two: template("{% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = [b] %}{{ a }}") => "cannot hold a namespace";
    a_long_replacement_by_method: expression("('x' * 10**6).replace('x', 'y' * 10**6)") => "exceeds 16 MiB";
    a_long_join_by_method: expression("','.join(['x' * 10**6] * 1000)") => "exceeds 16 MiB";
    a_replacement_of_nothing: expression("('x' * 10**6) | replace('', 'y' * 100)") => "exceeds 16 MiB";
    a_replacement_of_what_is_found: expression("('x' * 10**6) | regex_replace('x', 'y' * 1000)") => "exceeds 16 MiB";
    a_replacement_by_what_is_found: expression("('x' * 10**6) | regex_replace('(x+)', '\\\\1' * 10**5)") => "exceeds 16 MiB";
    many_letters_found: expression("('a' * 16000000) | regex_findall('.') | length") => "exceeds 16 MiB";
    many_letters: expression("('a' * 16000000) | list | length") => "exceeds 16 MiB";
    many_pieces: expression("('a,' * 8000000) | split(',') | length") => "exceeds 16 MiB";
    many_pieces_by_method: expression("('a,' * 8000000).split(',') | length") => "exceeds 16 MiB";
    many_decorated_lines: expression("('\n' * 10**6) | comment(decoration='x' * 1000)") => "exceeds 16 MiB";
    a_large_product: expression("range(100000) | product(range(100000)) | length") => "rows";
    a_flat_nest: template("{% set x = range(100000) | list %}{{ [x, x, x, x, x, x, x, x, x, x, x, x] | flatten | length }}") => "exceeds 16 MiB";
    many_globs: policy(many(10_000, |index| format!("[note.\"/{index}\"]\n[bell.b{index}]\nrequire = \"note.*{index}*\"\n"))) => "too many globs";
    globs_with_prefixes: policy(many(10_000, |index| format!("[note.\"/{index}/x\"]\n[bell.b{index}]\nrequire = \"note./{index}/*\"\n"))) => 20_000;
    one_glob_from_everywhere: policy(many(10_000, |index| format!("[note.\"/{index}\"]\n[bell.b{index}]\nrequire = [\"note.*\"]\n"))) => "more than 2000000 edges";
    a_hundred_thousand_edges: policy(format!("[bell.b]\nrequire = \"note.*\"\n{}", many(100_000, |index| format!("[note.\"/{index}\"]\n")))) => 100_001;
    everything_requires_everything: policy(format!("[defaults.note]\nrequire = [\"note.*\"]\n{}", many(10_000, |index| format!("[note.\"/{index}\"]\n")))) => "more than 2000000 edges";
    a_large_cycle: policy(many(50_000, |index| format!("[note.\"/{index}\"]\nrequire = \"note./{}\"\n", (index + 1) % 50_000))) => "in a cycle";
    many_cycles: policy(many(40_000, |index| format!("[note.\"/{index}\"]\nrequire = \"note./{}\"\n", index ^ 1))) => "in a cycle";
    many_unknown_references: policy(many(50_000, |index| format!("[note.\"/{index}\"]\nrequire = \"note./x{index}\"\n"))) => "only the first 2000 of";
    many_modules_referred_to: policy(many(5_000, |index| format!("[module.m{index}]\nsource = \"q\"\nname = \"{index}\"\n[bell.b{index}]\nrequire = \"module.m{index}\"\n"))).into_iter()
        .chain(file("policies/q.toml", "[params]\nname = \"\"\n[note.\"/{{ params.name }}\"]\n")).collect::<Vec<_>>() => 10_000;
    many_skipped_resources: policy(format!("{}{}", many(5_000, |index| format!("[note.\"/{index}/{{{{ item }}}}\"]\nfor_each = []\n")), many(5_000, |index| format!("[bell.b{index}]\nrequire = \"note./{index}/x\"\n")))) => "too many globs";
    many_parents: policy(many(3_000, |index| format!("[note.\"{}\"]\n", "/d".repeat(index + 1).get(..4000.min(2 * index + 2)).unwrap_or_default()))) => 2_000;
    many_unknown_policies: file("site.toml", format!("[[assign]]\nhosts = \"*\"\npolicies = [{}]\n", many(20_000, |index| format!("\"p{index}\", ")))) => "only the first 2000 of";
    many_assignments: file("site.toml", many(20_000, |index| format!("[[assign]]\nhosts = \"web{index}*\"\npolicies = []\n"))) => 0;
}

#[test]
fn what_is_written_of_a_mistake_is_little() {
    let mut text = String::from("x = [");
    for index in 0..200_000 {
        let _ = write!(text, "{index}, ");
    }
    text.push_str("]\n");
    let errors = evaluated(&policy(text)).unwrap_err();
    assert!(errors.len() < 4000, "{} bytes", errors.len());
}

/// Whatever filter a text that doubles is handed through, as its value or as its argument. Thirty
/// doublings that nobody counts are a GiB.
#[test]
#[cfg(not(debug_assertions))] // it takes minutes without optimisation
fn no_filter_lets_a_text_grow_unseen() {
    for name in crate::expression::filter_names() {
        for value in [format!("(a ~ a)|{name}"), format!("nothing|{name}(a ~ a)")] {
            let lines = format!("{{% set a = {value} %}}").repeat(30);
            let files = template(&format!("{{% set a = 'x' %}}{lines}"));
            forget_peak();
            let _ = crate::evaluate(&Memory::new(&with_site(&files)), &inputs(), &registry());
            assert!(peak_memory() < MEMORY, "{value} took {} MiB", peak_memory() >> 10);
        }
    }
}

fn with_site(files: &[(String, String)]) -> Vec<(&str, &str)> {
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (&**path, &**text)).collect();
    if !files.iter().any(|(path, _)| *path == "site.toml") {
        files.push(("site.toml", SITE));
    }
    files
}
