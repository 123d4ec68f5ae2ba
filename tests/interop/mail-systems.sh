#!/usr/bin/env bash
# Unpacks Postfix, Exim, OpenSMTPD and Sendmail, whose Debian packages conflict
# with each other, each with its libraries into a root of its own: DIR/postfix,
# DIR/exim, DIR/opensmtpd, DIR/sendmail; stunnel into DIR/stunnel, sslscan into
# DIR/sslscan; and NSD, ldns and Unbound, for DNSSEC, into DIR/dnssec, BIND into
# DIR/bind. Nothing is installed, and nothing is started. Needs Debian, root, and
# package lists that are not too old (`apt-get update`).
#
#   tests/interop/mail-systems.sh DIR
#
# What is there already stays; DIR/NAME/packages says which versions it is.
set -euo pipefail
if [ $# -ne 1 ]; then
    sed -n 's/^#   //p' "$0" >&2
    exit 2
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)

# The packages named, and the libraries that they need, and those need. What
# else they depend on is for installing and configuring them.
with_libraries() {
    local known=" $* " next=("$@") found
    while [ ${#next[@]} -gt 0 ]; do
        mapfile -t found < <(apt-cache depends "${next[@]}" |
            sed -n 's/^ *|\?\(Pre\)\?Depends: \(z\?lib[^<>]*\)$/\2/p' | sort -u)
        next=()
        for package in "${found[@]}"; do
            case $known in *" $package "*) ;; *)
                known+="$package "
                next+=("$package")
                ;;
            esac
        done
    done
    echo "$known"
}

# A root of the packages, with the accounts that the system runs under.
unpack() {
    local name=$1 accounts=$2
    shift 2
    local root=$dir/$name packages work
    if [ -e "$root/packages" ]; then return; fi
    rm -rf "$root" && mkdir -p "$root"
    work=$(mktemp -d)
    packages=$(with_libraries "$@")
    # shellcheck disable=SC2086 # words, not one
    (cd "$work" && apt-get download -q -o APT::Sandbox::User=root $packages >/dev/null)
    for package in "$work"/*.deb; do dpkg -x "$package" "$root"; done
    mkdir -p "$root"/{dev,etc,root,run,tmp,var/run,var/spool,var/log}
    mknod -m 666 "$root/dev/null" c 1 3
    mknod -m 666 "$root/dev/urandom" c 1 9
    echo 'root:x:0:0::/root:/bin/false' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    local account id=200
    for account in $accounts; do
        echo "$account:x:$id:$id::/nonexistent:/bin/false" >>"$root/etc/passwd"
        echo "$account:x:$id:" >>"$root/etc/group"
        id=$((id + 1))
    done
    for package in "$work"/*.deb; do dpkg-deb -W "$package"; done >"$work/list"
    mv "$work/list" "$root/packages"
    rm -rf "$work"
}

unpack postfix "postfix postdrop nobody" postfix openssl netbase
unpack exim "Debian-exim" exim4-daemon-light netbase
unpack opensmtpd "opensmtpd opensmtpq" opensmtpd openssl netbase
unpack sendmail "smmta smmsp" sendmail-bin sendmail-base sendmail-cf m4 netbase
unpack stunnel "stunnel4" stunnel4 netbase
unpack bind "bind" bind9 bind9-libs netbase
unpack sslscan "nobody" sslscan netbase
unpack dnssec "nsd unbound" nsd ldnsutils unbound netbase
# As its package does when it is installed.
chown root:201 "$dir/opensmtpd/usr/sbin/smtpctl"
chmod 2755 "$dir/opensmtpd/usr/sbin/smtpctl"
