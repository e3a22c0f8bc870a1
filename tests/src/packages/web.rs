//! `sf-web`: a web server with all that a real one brings along.
//!
//! - `/etc/sf-web/sf-web.conf` (a configuration file of the package): `greeting=`, `port=` (8080 on
//!   127.0.0.1), `crash=now` (dies before it is ready) or `crash=soon` (dies a second after). Anything
//!   else is an error; `sf-web -t FILE` only checks.
//! - `sf-web.service`, started and enabled when installed; reloads on `SIGHUP`.
//! - `/var/lib/sf-web/history`: a line `start GREETING` or `reload GREETING` each time it read its
//!   configuration, so that a test can count.

use super::{BLANK, Package};

/// The first version.
pub const WEB_1_0: Package = Package {
    name: "sf-web",
    version: "1.0-1",
    files: &[
        ("usr/sbin/sf-web", 0o755, PROGRAM),
        ("lib/systemd/system/sf-web.service", 0o644, UNIT),
        ("etc/sf-web/sf-web.conf", 0o644, CONFIGURATION),
        ("usr/share/doc/sf-web/version", 0o644, "1.0-1\n"),
    ],
    conffiles: &["etc/sf-web/sf-web.conf"],
    control: &[("postinst", 0o755, POSTINST), ("prerm", 0o755, PRERM), ("postrm", 0o755, POSTRM)],
    ..BLANK
};

/// A bug fix: the configuration file is the same.
pub const WEB_1_1: Package = Package {
    version: "1.1-1",
    files: &[
        ("usr/sbin/sf-web", 0o755, PROGRAM),
        ("lib/systemd/system/sf-web.service", 0o644, UNIT),
        ("etc/sf-web/sf-web.conf", 0o644, CONFIGURATION),
        ("usr/share/doc/sf-web/version", 0o644, "1.1-1\n"),
    ],
    ..WEB_1_0
};

/// A new version, whose configuration file differs: where it was edited, dpkg wants to ask.
pub const WEB_2_0: Package = Package {
    version: "2.0-1",
    files: &[
        ("usr/sbin/sf-web", 0o755, PROGRAM),
        ("lib/systemd/system/sf-web.service", 0o644, UNIT),
        ("etc/sf-web/sf-web.conf", 0o644, "# sf-web 2\ngreeting=hello\nport=8080\n"),
        ("usr/share/doc/sf-web/version", 0o644, "2.0-1\n"),
    ],
    ..WEB_1_0
};

const CONFIGURATION: &str = "greeting=hello\nport=8080\n";

const UNIT: &str = "[Unit]
Description=Web server for tests

[Service]
Type=notify
ExecStart=/usr/sbin/sf-web
ExecReload=/bin/sh -c 'kill -HUP $MAINPID'
User=www-data
StateDirectory=sf-web

[Install]
WantedBy=multi-user.target
";

const PROGRAM: &str = r#"#!/usr/bin/perl
use strict;
use warnings;
use IO::Socket::INET;
use Socket;

my %setting;

sub configure {
    my ($path) = @_;
    %setting = (greeting => 'hello', port => 8080, crash => 'never');
    open my $file, '<', $path or die "sf-web: $path: $!\n";
    while (my $line = <$file>) {
        next if $line =~ /^\s*(#|$)/;
        my ($name, $value) = $line =~ /^(\w+)=(.*)$/;
        die "sf-web: $path:$.: not a setting: $line" unless defined $name && exists $setting{$name};
        $setting{$name} = $value;
    }
}

sub remember {
    my ($event) = @_;
    open my $file, '>>', '/var/lib/sf-web/history' or die "sf-web: history: $!\n";
    print $file "$event $setting{greeting}\n";
    close $file or die "sf-web: history: $!\n";
}

sub notify {
    my ($message) = @_;
    my $path = $ENV{NOTIFY_SOCKET} or return;
    $path =~ s/^@/\0/;
    socket my $socket, PF_UNIX, SOCK_DGRAM, 0 or die "sf-web: socket: $!\n";
    send $socket, $message, 0, pack_sockaddr_un($path);
}

if (@ARGV == 2 && $ARGV[0] eq '-t') {
    configure($ARGV[1]);
    exit 0;
}

configure('/etc/sf-web/sf-web.conf');
die "sf-web: told to crash\n" if $setting{crash} eq 'now';
remember('start');
my $listener = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => $setting{port}, Listen => 16, ReuseAddr => 1,
) or die "sf-web: port $setting{port}: $@\n";
my $reload = 0;
$SIG{HUP} = sub { $reload = 1 };
$SIG{TERM} = sub { exit 0 };
$SIG{ALRM} = sub { exit 1 };
alarm 1 if $setting{crash} eq 'soon';
notify("READY=1");
while (1) {
    my $client = $listener->accept;
    if ($reload) {
        $reload = 0;
        configure('/etc/sf-web/sf-web.conf');
        remember('reload');
    }
    next unless $client;
    while (my $line = <$client>) { last if $line =~ /^\r?$/ }
    my $body = "$setting{greeting}\n";
    print $client "HTTP/1.0 200 OK\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
    close $client;
}
"#;

/// As debhelper writes it for a package with a unit.
const POSTINST: &str = r#"#!/bin/sh
set -e
case "$1" in
configure | abort-upgrade | abort-deconfigure | abort-remove)
    deb-systemd-helper unmask sf-web.service >/dev/null || true
    if deb-systemd-helper --quiet was-enabled sf-web.service; then
        deb-systemd-helper enable sf-web.service >/dev/null || true
    else
        deb-systemd-helper update-state sf-web.service >/dev/null || true
    fi
    if [ -d /run/systemd/system ]; then
        systemctl --system daemon-reload >/dev/null || true
        if [ -n "$2" ]; then action=restart; else action=start; fi
        deb-systemd-invoke $action sf-web.service >/dev/null || true
    fi
    ;;
esac
"#;

const PRERM: &str = r#"#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop sf-web.service >/dev/null || true
fi
"#;

const POSTRM: &str = r#"#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ]; then
    if [ -x /usr/bin/deb-systemd-helper ]; then
        deb-systemd-helper purge sf-web.service >/dev/null || true
    fi
    rm -rf /var/lib/sf-web /var/lib/private/sf-web
fi
"#;
