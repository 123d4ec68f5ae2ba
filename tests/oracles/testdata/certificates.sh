#!/usr/bin/env bash
# Makes root.der, intermediate.der and server.der, which the oracles of
# certificates start from; the keys are thrown away. Needs openssl.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
sign() { # name, issuer, extensions
    openssl req -new -key "$1.key" -subj "/C=XX/O=Lab, Ltd./CN=$1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 30000 -sha256 \
        -extfile <(printf '%b' "$3") -out "$1.pem" 2>/dev/null
}
key root
openssl req -x509 -new -key root.key -subj "/O=Lab/CN=root" -days 30000 -sha256 -out root.pem
key intermediate
sign intermediate root 'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n'
key server
sign server intermediate 'basicConstraints=CA:false\nextendedKeyUsage=serverAuth\n
subjectAltName=DNS:mx.example,DNS:*.Mail.example,IP:192.0.2.1,IP:2001:db8::1,URI:smtp://mx.example\n
authorityInfoAccess=OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/i.der\n
crlDistributionPoints=URI:http://ca.example/i.crl\n'
for name in root intermediate server; do
    openssl x509 -in "$name.pem" -outform DER -out "$here/$name.der"
done
