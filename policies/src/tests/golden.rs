//! Errors as a new author reads them.

use super::{Memory, inputs, registry};

const SITE: &str = "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

/// What `evaluate` and `validate` say of a repository, as one text.
fn told(files: &[(&str, &str)]) -> String {
    let mut files = files.to_vec();
    if !files.iter().any(|(path, _)| *path == "site.toml") {
        files.push(("site.toml", SITE));
    }
    let repository = Memory::new(&files);
    let evaluated = match crate::evaluate(&repository, &inputs(), &registry()) {
        Ok(catalog) => format!("fine\n{}", catalog.warnings.render(false)),
        Err(diagnostics) => diagnostics.render(false),
    };
    let validated = crate::validate(&repository, &registry()).render(false);
    if evaluated == validated {
        return format!("=== on a host and without one\n{evaluated}");
    }
    format!("=== on a host\n{evaluated}\n=== without a host\n{validated}")
}

macro_rules! golden {
    ($($name:ident: [$(($path:expr, $text:expr)),* $(,)?];)*) => {
        $(#[test]
        fn $name() {
            let files: &[(&str, &str)] = &[$(($path, $text)),*];
            let mut shown = String::new();
            for (path, text) in files {
                shown.push_str(&format!("--- {path}\n{text}\n"));
            }
            insta::assert_snapshot!(stringify!($name), format!("{shown}{}", told(files)));
        })*
    };
}

golden! {
    below_a_file: [("policies/web.toml", "[note.\"/leaf\"]\ncontent = \"x\"\n\n[note.\"/leaf/b/c\"]\n")];
    another_language: [
        ("policies/web.toml", "# nginx\n- name: nginx\n  package:\n    state: present\n"),
        ("policies/base.toml", "class nginx {\n  package { 'nginx': ensure => installed }\n}\n"),
        ("policies/copy.toml", "<<<<<<< ours\n"),
        ("policies/keys.toml", "[note.\"/a\"]\n{{ params.name }} = \"x\"\n{% if true %}\nmode = \"0644\"\n"),
        ("policies/text.toml", "[note.\"/a\"]\ncontent = \"\nhello\n\"\nmode = \"0644\"\n[note.\"/b\"]\ncontent = \"{{ facts[\"os\"] }}\"\n[note.\"/c\"]\ncontent = \"C:\\etc\"\n"),
    ];
    template_slips: [
        ("policies/web/policy.toml", "[note.\"/a\"]\ntemplate = \"a\"\n[note.\"/b\"]\ntemplate = \"b\"\n[note.\"/c\"]\ntemplate = \"c\"\n[note.\"/d\"]\ntemplate = \"d\"\n[note.\"/e\"]\ntemplate = \"e\"\n[note.\"/f\"]\ntemplate = \"f\"\n"),
        ("policies/web/a", "{% if facts.a is defined %}\n{% elsif true %}\n{% endif %}\n"),
        ("policies/web/b", "{% if facts.a is defined %}\n{% else if true %}\n{% endif %}\n"),
        ("policies/web/c", "{% for x in [1] %}\n{% end for %}\n"),
        ("policies/web/d", "{% for x in [1] %}\n{% if x %}\n{% endfor %}\n{% endfor %}\n"),
        ("policies/web/e", "a\n{% for x in [1] %}\n{% set y = x %}{{ y }}\n"),
        ("policies/web/f", "{% fi %}{% endif %}\n"),
    ];
    names_without_their_root: [
        ("policies/web.toml", "[params]\nport = 80\n\n[note.\"/a\"]\ncontent = \"{{ hostname }} {{ port }} {{ os.family }} {{ ansible_hostname }} {{ pillar.x }} {{ grains.os }} {{ nothing }}\"\n\n[note.\"/b\"]\nwhen = \"facts.os.family = 'debian'\"\n"),
    ];
    words_of_others: [
        ("policies/web.toml", "[note.\"/a\"]\nstate = \"present\"\nname = \"a\"\nwatch = []\n\"{{ params.x }}\" = 1\nwhen = [\"true\"]\n[systemd.nginx]\n[apt.nginx]\n[default.note]\n[defaults]\nmode = \"0644\"\n[bell.b]\nrequire = [\"Note['/a']\", \"c\"]\n[bell.c]\n"),
        ("policies/base.toml", "mode = \"0644\"\n"),
        ("site.toml", "[assign]\nhost = \"*\"\nroles = [\"web\"]\npolicy = \"web\"\npolicies = [\"web.toml\", \"policies/base\"]\n[assign.params.web]\nport = 1\n"),
    ];
    syntax_error: [("policies/web.toml", "[note.\"/a\"]\nmode = 0644\ncontent = hello\n\n[bell.b\nenable = True\n")];
    unknown_key: [
        ("policies/web.toml", "descripton = \"x\"\n[note.\"/a\"]\nonwer = \"root\"\nzzz = 1\n"),
        ("site.toml", "[sight]\n[[assign]]\nhost = \"*\"\nhosts = \"*\"\npolicies = [\"web\"]\n"),
    ];
    unknown_kind: [("policies/web.toml", "[noet.\"/a\"]\nmode = \"0644\"\n\n[bell.b]\nrequire = [\"note./a\", \"bel.x\"]\n")];
    missing_title: [("policies/web.toml", "[note]\nmode = \"0644\"\n")];
    reference_to_nothing: [("policies/web.toml", "[note.\"/etc/ngnix.conf\"]\nnotify = [\"bell.nginx\", \"note.\\\"/etc/nginx.conf\\\"\", \"nonsense\"]\n\n[bell.ngnix]\n")];
    undefined_variable: [("policies/web.toml", "[params]\nport = 80\n\n[note.\"/a\"]\ncontent = \"listen {{ params.prot }}\"\nwhen = \"facts.os.famly == 'debian'\"\n\n[note.\"/b\"]\nmode = \"{{ moed }}\"\nowner = \"{{ facts.os.famly }}\"\n")];
    when_of_another_type: [("policies/web.toml", "[note.\"/a\"]\nwhen = \"facts.hostname\"\n\n[note.\"/b\"]\nwhen = \"{{ facts.hostname == 'x' }}\"\n\n[note.\"/c\"]\nfor_each = \"facts.hostname\"\n")];
    expression_syntax: [("policies/web.toml", "[note.\"/a\"]\ncontent = \"\"\"\nfirst\n{{ facts.hostname | }}\n\"\"\"\n\n[note.\"/b\"]\nwhen = \"a && b\"\n\n[note.\"/c\"]\nmode = \"{{ facts.hostname | uper }}\"\ncontent = \"{{ now() }}\"\n")];
    template_error: [
        ("policies/web/policy.toml", "[params]\nname = \"x\"\n\n[note.\"/a\"]\ntemplate = \"templates/a.conf\"\n\n[note.\"/b\"]\ntemplate = \"templates/b.conf\"\n"),
        ("policies/web/templates/a.conf", "# a\nname = {{ params.nmae }}\n"),
        ("policies/web/templates/b.conf", "# b\n{% include \"templates/part.conf\" %}\n"),
        ("policies/web/templates/part.conf", "first line\n{% if %}\n"),
    ];
    missing_source: [
        ("policies/web/policy.toml", "[note.\"/a\"]\nsource = \"files/mtod\"\n\n[note.\"/b\"]\ntemplate = \"a.conf\"\n\n[note.\"/c\"]\nsource = \"../ssh/key\"\n\n[note.\"/d\"]\nsource = \"/etc/shadow\"\n\n[note.\"/e\"]\nsource = [\"files/x\", \"files/y\"]\n\n[note.\"/f\"]\ncontent = \"{{ file('files/mtod') }}\"\n"),
        ("policies/web/files/motd", "hello\n"),
        ("policies/web/templates/a.conf", "a\n"),
    ];
    wrong_type: [("policies/web.toml", "[note.\"/a\"]\nmode = 0o644\ncount = \"3\"\nflag = \"true\"\nwords = [\"a\", 2]\npairs = { a = 1 }\nensure = \"presnt\"\nenforce = 1\ntimeout = \"5 minutes\"\ntags = [1]\nowner = true\nignore = \"mod\"\n\n[bell.b]\nenable = \"maskd\"\n\n[note.\"/c\"]\nmode = \"abc\"\ncontent = \"x\"\n")];
    titles: [("policies/web.toml", "[note.\"a\\nb\"]\n[note.\"a\\u0000b\"]\n[note.\"\"]\n[note.relative]\n[bell.\"-rf\"]\n")];
    duplicate: [("policies/web.toml", "[note.\"/etc/motd\"]\ncontent = \"a\"\ncontent = \"b\"\n\n[note.\"/etc/motd\"]\ncontent = \"c\"\n\n[note.\"/etc/motd/\"]\n")];
    duplicate_across_policies: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"base\"]\n"),
        ("policies/base.toml", "[note.\"/etc/motd\"]\n"),
        ("policies/web.toml", "\n[note.\"/etc/motd\"]\n"),
    ];
    cycle: [("policies/web.toml", "[note.\"/a\"]\nrequire = \"bell.b\"\nnotify = \"bell.c\"\n\n[bell.b]\nsubscribe = [\"note./z\"]\n\n[bell.c]\nbefore = [\n  \"bell.b\",\n  \"bell.d\",\n]\n\n[bell.d]\nbefore = \"note./a\"\n\n[note.\"/z\"]\n\n[bell.self]\nrequire = \"bell.self\"\n")];
    parameters: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"wbe\"]\n[assign.params.web]\nprot = 1\nport = \"80\"\nlevel = \"high\"\nsize = 7\n[assign.params.other]\n"),
        ("policies/web.toml", "[params]\nport = 80\nadmin = { type = \"string\", required = true, pattern = \"^[^@]+@[^@]+$\" }\nlevel = { type = \"string\", default = \"low\", enum = [\"low\", \"middle\"] }\nsize = { type = \"integer\", default = 1, maximum = 5 }\nbad-name = 1\nodd = { type = \"strnig\", default = \"x\" }\nwrong = { type = \"string\", default = 1 }\n"),
    ];
    several_files: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"broken\", \"base\"]\n\n[limits]\ndeletions = 20\n"),
        ("policies/base/policy.toml", "[note.\"/a\"]\nonwer = \"root\"\nrequire = \"bell.from_broken\"\n\n[check.x]\nhttp = \"x\"\n"),
        ("policies/broken.toml", "[bell.from_broken]\nenable = tru\n\n[note.\"/x\"]\nonwer = 1\n"),
        ("policies/web.toml", "[note.\"/b\"]\ncontent = \"{{ nope }}\"\n"),
        ("policies/unused.toml", "[noet.x]\n"),
        ("data/common.toml", "x = \n"),
    ];
    unknown_policy: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"wbe\", \"empty\"]\n\n[[assign]]\nwhen = \"labels.rol == 'x'\"\npolicies = \"web\"\n\n[[assign]]\npolicies = [\"web\"]\n"),
        ("policies/web.toml", "[note.\"/a\"]\n"),
        ("policies/empty/files/x", ""),
    ];
    modules: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
        ("policies/web.toml", "[module.one]\nsource = \"vhost\"\nnmae = \"a\"\n\n[module.two]\nsource = \"vhots\"\n\n[module.three]\nname = \"x\"\n\n[module.four]\nsource = \"web\"\n"),
        ("policies/vhost.toml", "[params]\nname = \"x\"\n[note.\"/{{ params.name }}\"]\n"),
    ];
    parameters_of_a_broken_policy: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"vhost\"]\n[assign.params.vhost]\nname = \"x\"\n"),
        ("policies/web.toml", "include = [\"vhost\"]\n\n[module.one]\nsource = \"vhost\"\nname = \"a\"\n\n[note.\"/b\"]\nrequire = \"module.one\"\n"),
        ("policies/vhost.toml", "[params]\nname = \"x\"\n\n[note.\"/{{ params.name }}\"]\nmode = 0644\n"),
        ("tests/web.toml", "[case.a]\npolicy = \"vhost\"\nparams = { name = \"y\" }\nexpect.note.\"/y\" = { mode = \"0644\" }\n"),
    ];
    words_of_other_tools: [("policies/web.toml", "workers = 4\n\n[note.\"/a\"]\nonly_if = \"true\"\nwith_items = [1]\nunless = \"x\"\n\n[cron.backup]\nhour = 1\n\n[exec.x]\ncommand = \"ls\"\n\n[template.\"/b\"]\n")];
    merge_conflict: [("policies/web.toml", "[note.\"/a\"]\n<<<<<<< HEAD\nmode = \"0644\"\n=======\nmode = \"0600\"\n>>>>>>> other\n\n[note.\"/b\"]\nmode = 1 2\n")];
    unclosed: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"text\", \"table\", \"header\", \"twice\"]\n"),
        ("policies/web.toml", "[params]\nnames = [\n  \"a\",\n  \"b\"\n\n[note.\"/a\"]\nmode = \"0644\"\nowner = \"root\"\n\n[note.\"/b\"]\nmode = \"0644\"\nowner = \"root\"\n"),
        ("policies/text.toml", "[note.\"/a\"]\ncontent = \"\"\"\nhello\n\n[note.\"/b\"]\nmode = \"0644\"\nowner = \"root\"\n"),
        ("policies/table.toml", "[note.\"/a\"]\npairs = { a = \"1\", b = \"2\"\nmode = \"0644\"\nowner = \"root\"\n\n[note.\"/b\"]\nmode = \"0644\"\n"),
        ("policies/header.toml", "[note.\"/a\"\nmode = \"0644\"\n\n[note.\"/b\"]\nowner = \"root\n\n[note.\"/c\"]\nowner = root\n"),
        ("policies/twice.toml", "[note.\"/a\"]\nmode = 0644\nowner = root\n\n[note.\"/b\"]\nwords = [\"a\", \"b\"]]\nflag = yes\n"),
    ];
    endless: [
        ("policies/web/policy.toml", "[note.\"/a\"]\ncontent = \"{% for i in range(100000) %}{% for j in range(100000) %}{{ i }}{% endfor %}{% endfor %}\"\n\n[note.\"/b\"]\ntemplate = \"templates/b\"\n"),
        ("policies/web/templates/b", "{% include 'templates/b' %}"),
    ];
    no_site: [("policies/web.toml", "[note.\"/a\"]\n"), ("site.toml", "")];
    limits: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[limits]\ndeletions = -1\nrestarts = \"5\"\nchanges = \"50 %\"\ndeletion = 3\n"),
        ("policies/web.toml", ""),
    ];
    rollout_backwards: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[rollout]\nwaves = [\n  { percent = 50 },\n  { percent = 5, after = \"1h\" },\n  { percent = 100, after = \"4h\" },\n]\n"),
        ("policies/web.toml", ""),
    ];
    rollout_without_end: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[rollout]\nwaves = [{ percent = 5 }, { percent = 50, after = \"1h\" }]\n"),
        ("policies/web.toml", ""),
    ];
    rollout_without_time: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[rollout]\nwaves = [{ percent = 5 }, { percent = 100 }]\n"),
        ("policies/web.toml", ""),
    ];
    rollout_of_another_form: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[[rollout]]\npercent = 5\n"),
        ("policies/web.toml", ""),
    ];
    windows: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[[window]]\nallow = [\"Mon-Fri 22:00-04:00\", \"* 10pm-11pm\"]\ntimezone = \"Berlin\"\n\n[[window]]\nalow = \"22:00-04:00\"\ntimezone = \"Europe/Berln\"\n\n[[window]]\nallow = \"Sat 10:00-10:00\"\n\n[[window]]\nallow = \"{{ labels.window }}\"\ntimezone = 1\n"),
        ("policies/web.toml", ""),
    ];
    one_bracket: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[window]\nallow = \"22:00-04:00\"\n"),
        ("policies/web.toml", ""),
    ];
    checks: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\n[check.ssh]\ntcp = \"22\"\nwithn = \"5s\"\n"),
        ("policies/web.toml", "[check.nothing]\nwithin = \"30s\"\n\n[check.two]\nhttp = \"http://127.0.0.1/\"\nunit = \"nginx\"\n\n[check.mixed]\nunit = \"nginx\"\nstatus = 200\n\n[check.misspelt]\nhtpp = \"http://127.0.0.1/\"\n\n[check.typed]\ntcp = 5432\n"),
    ];
    check_values: [
        ("site.toml", SITE),
        ("policies/web.toml", "[check.address]\nhttp = \"127.0.0.1/health\"\n\n[check.code]\nhttp = \"http://127.0.0.1/\"\nstatus = [200, 700]\n\n[check.port]\ntcp = \"localhost\"\nwithin = \"soon\"\n\n[check.shell]\ncommand = \"curl -f http://127.0.0.1/ | grep ok\"\n\n[check.relative]\nfile = \"run/nginx.pid\"\n\n[check.pause]\nunit = \"nginx\"\ninterval = \"1m\"\n\n[check.same]\nfor_each = [\"a\", \"b\"]\nunit = \"{{ item }}\"\n"),
    ];
    check_without_name: [("policies/web.toml", "[check]\nhttp = \"http://127.0.0.1/\"\n")];
    include: [
        ("policies/web.toml", "include = [\"bsae\", \"web\", \"{{ labels.x }}\"]\n\n[note.\"/a\"]\n"),
        ("policies/base.toml", "include = { name = \"web\" }\n"),
    ];
    include_without_param: [
        ("policies/web.toml", "include = [\"base\"]\n"),
        ("policies/base.toml", "[params]\nadmin = { type = \"string\", required = true }\n"),
    ];
    tags: [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\ntags = 1\n"),
        ("policies/web.toml", "tags = [\"a b\"]\n\n[note.\"/a\"]\ntags = \"x,y\"\n\n[module.m]\nsource = \"other\"\ntags = [\"\"]\n"),
        ("policies/other.toml", ""),
    ];
    notifying_the_deaf: [
        ("policies/web.toml", "[note.\"/a\"]\nnotify = [\"note./b\", \"bell.x\"]\nsubscribe = \"bell.z\"\n\n[note.\"/b\"]\nnotify = \"module.m\"\n\n[note.\"/d\"]\nnotify = \"note./*\"\n\n[bell.x]\n\n[bell.z]\n\n[module.m]\nsource = \"other\"\nsubscribe = \"note./a\"\n"),
        ("policies/other.toml", "[note.\"/c\"]\n[bell.y]\n"),
    ];
    common_attributes: [
        ("policies/web.toml", "[note.\"/a\"]\non_remove = \"remove\"\n\n[note.\"/b\"]\non_remove = \"delet\"\nignore = [\"mdoe\", \"require\"]\nenforce = \"false\"\n"),
    ];
    filters_of_others: [("policies/web.toml", "[note.\"/a\"]\ncontent = \"{{ labels.role | from_yaml }}\"\n\n[note.\"/b\"]\ncontent = \"{{ labels.role | ipadr('network') }}\"\n\n[note.\"/c\"]\ncontent = \"{{ labels.role | md5 }}\"\n\n[note.\"/d\"]\ncontent = \"{{ labels.role | ipaddr('address') }}\"\n\n[note.\"/e\"]\nwhen = \"'1' is verson('2', '<')\"\n\n[note.\"/f\"]\nwhen = \"'/etc/motd' is exists\"\n\n[note.\"/g\"]\nwhen = \"'1' is version('2', '=>')\"\n")];
    literals_of_two_types: [
        ("policies/web/policy.toml", "[note.\"/a\"]\nwhen = \"'12' < 13\"\n\n[note.\"/b\"]\nwhen = \"facts.hostname | length == '4'\"\ncontent = \"port {{ 'x' if labels.role | lower == 5 else 'y' }}\"\n\n[note.\"/c\"]\ntemplate = \"templates/c\"\n\n[note.\"/d/{{ item }}\"]\nfor_each = [\"a\", \"b\"]\nwhen = \"item != 'b' and '1' == 1\"\n"),
        ("policies/web/templates/c", "{% if facts.hostname | length > '3' %}\nlong\n{% endif %}\n"),
    ];
    conditions_that_no_host_changes: [("policies/web.toml", "[note.\"/a\"]\nwhen = \"true\"\n\n[note.\"/b\"]\nwhen = \"1 > 2\"\n\n[note.\"/c\"]\nwhen = false\n\n[note.\"/d\"]\nwhen = \"'nginx'\"\n")];
    glob_without_match: [("policies/web.toml", "[note.\"/a\"]\nnotify = [\"bell.php*\"]\n")];
}

#[test]
fn a_missing_site_is_an_error() {
    let repository = Memory::new(&[("policies/web.toml", "")]);
    let errors = crate::evaluate(&repository, &inputs(), &registry()).err().unwrap();
    assert!(errors.render(false).contains("has no `site.toml`"), "{errors}");
}

#[test]
fn bytes_that_are_no_text() {
    let repository = Memory::new(&[("site.toml", SITE)])
        .with_bytes("policies/web.toml", b"[note.\"/a\"]\nmode = \"\xff\"\n");
    let errors = crate::evaluate(&repository, &inputs(), &registry()).err().unwrap();
    insta::assert_snapshot!("not_text", errors.render(false));
}

#[test]
fn programs_read_json() {
    let repository = Memory::new(&[("site.toml", SITE), ("policies/web.toml", "[noet.x]\n")]);
    let errors = crate::evaluate(&repository, &inputs(), &registry()).err().unwrap();
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&errors).unwrap());
}

#[test]
fn colour_only_adds_colour() {
    let repository = Memory::new(&[("site.toml", SITE), ("policies/web.toml", "[noet.x]\n")]);
    let errors = crate::evaluate(&repository, &inputs(), &registry()).err().unwrap();
    let coloured = errors.render(true);
    assert!(coloured.contains('\u{1b}'));
    let plain =
        regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(plain, errors.render(false));
}
