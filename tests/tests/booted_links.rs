//! A symbolic link that a user has planted, in any component of a path, never makes root write, change
//! an owner or delete outside.

use steadfast_tests::host::{Suite, TestHost};

/// Each case: how the user prepares their home, and the policy that works in it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "the file itself is a link to a file of root's",
        "rm -rf app; mkdir app; ln -s /srv/root/precious app/config",
        "[file.\"/home/mallory/app/config\"]\ncontent = \"ours\"\nmode = \"0666\"\nowner = \"mallory\"\n",
    ),
    (
        "a directory on the way is a link to a directory of root's",
        "rm -rf app; ln -s /srv/root app",
        "[file.\"/home/mallory/app/precious\"]\ncontent = \"ours\"\nowner = \"mallory\"\n",
    ),
    (
        "a directory further up is a link",
        "rm -rf app; ln -s /srv app",
        "[file.\"/home/mallory/app/root/new\"]\ncontent = \"ours\"\n",
    ),
    (
        "a managed directory is a link",
        "rm -rf app; ln -s /srv/root app",
        "[file.\"/home/mallory/app\"]\nensure = \"directory\"\nmode = \"0777\"\nowner = \"mallory\"\n",
    ),
    (
        "only the mode of a link is managed",
        "rm -rf app; ln -s /srv/root/precious app",
        "[file.\"/home/mallory/app\"]\nensure = \"present\"\nowner = \"mallory\"\ngroup = \"mallory\"\n",
    ),
    (
        "a removal behind a link",
        "rm -rf app; ln -s /srv/root app",
        "[file.\"/home/mallory/app/precious\"]\nensure = \"absent\"\n",
    ),
    (
        "a removed directory holds a link",
        "rm -rf app; mkdir app; ln -s /srv/root app/root",
        "[file.\"/home/mallory/app\"]\nensure = \"absent\"\nforce = true\n",
    ),
    (
        "a purged directory holds links",
        "rm -rf app; mkdir -p app/deep; ln -s /srv/root app/deep/root; ln -s /srv/root app/other",
        "[file.\"/home/mallory/app\"]\nsource = \"tree\"\npurge = true\nforce = true\nowner = \"mallory\"\n",
    ),
    (
        "a tree is copied over a link",
        "rm -rf app; mkdir app; ln -s /srv/root app/sub",
        "[file.\"/home/mallory/app\"]\nsource = \"tree\"\nowner = \"mallory\"\n",
    ),
    (
        "a hard link to a file of root's",
        "rm -rf app; mkdir app; ln /srv/root/linkable app/config",
        "[file.\"/home/mallory/app/config\"]\nensure = \"present\"\nowner = \"mallory\"\nmode = \"0666\"\n",
    ),
    (
        "the user's own authorized keys",
        "rm -rf .ssh; ln -s /srv/root .ssh",
        "[user.mallory]\nssh_authorized_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEuNkFDYi8v5n0DGhpBNXT2UtPxM7OVAQUGKBQYTI7Gr ops\"]\n",
    ),
    (
        "the file with the authorized keys",
        "rm -rf .ssh; mkdir .ssh; ln -s /srv/root/precious .ssh/authorized_keys",
        "[user.mallory]\nssh_authorized_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEuNkFDYi8v5n0DGhpBNXT2UtPxM7OVAQUGKBQYTI7Gr ops\"]\npurge_ssh_keys = true\n",
    ),
    (
        "a home that is re-owned holds a link",
        "rm -rf app; ln -s /srv/root/precious app; ln -sfn /srv/root there",
        "[user.mallory]\nuid = 4777\n",
    ),
];

const FINGERPRINT: &str = "find /srv/root -printf '%p %y %m %U %G %s %T@\\n' | sort; sha256sum /srv/root/*; find /home/mallory/app/ -maxdepth 0 >/dev/null";

fn nothing_escapes(suite: Suite) {
    let host = TestHost::boot(suite);
    host.must(
        "useradd -m -s /bin/sh mallory; mkdir -p /srv/root; echo secret > /srv/root/precious; \
         echo linkable > /srv/root/linkable; chmod 0600 /srv/root/precious; chmod 0644 /srv/root/linkable; \
         sysctl -qw fs.protected_hardlinks=0 2>/dev/null || true",
    );
    host.write("/root/policy/policies/links/tree/sub/precious", "from the tree");
    host.write("/root/policy/policies/links/tree/file", "from the tree");
    host.write("/root/policy/site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"links\"]\n");
    let look = || host.sh(FINGERPRINT).stdout;
    let before = look();
    assert!(before.contains("precious"), "{before}");
    for (what, prepare, policy) in CASES {
        let script = format!("cd /home/mallory && {prepare}");
        let prepared = host.command(&["sh", "-c", &script]).user("mallory").run();
        // A hard link to a file that is not one's own is forbidden on most kernels: then the attack
        // is made by root's hand, so that the refusal is tested in any case.
        if !prepared.succeeded() {
            host.must(&script);
            host.must("chown -h mallory:mallory /home/mallory/app");
        }
        let before = look();
        host.write("/root/policy/policies/links/policy.toml", policy);
        let output = host.run(&["steadfast", "apply", "/root/policy"]);
        assert!([0, 3].contains(&output.status), "{what}: {output}");
        assert_eq!(look(), before, "{what}: something outside has changed: {output}");
    }
}

#[test]
fn planted_links_lead_nowhere_on_debian_12() {
    nothing_escapes(Suite::Bookworm);
}

#[test]
fn planted_links_lead_nowhere_on_debian_13() {
    nothing_escapes(Suite::Trixie);
}
