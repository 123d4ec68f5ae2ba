# Which dictionary serves a target; nothing where none does. To be sourced.
dictionary_of() {
    case $1 in
    smtp_dialogue | x509_edited) ;; # made of numbers, not of words
    smtp_* | ehlo) echo smtp ;;
    x509_* | crl | ocsp_response | roots_pem) echo x509 ;;
    tls_*) echo tls ;;
    connectors_csv | inbound_connectors_csv | input_list) echo list ;;
    connectors_toml | expectation_file | inbound_connectors_toml | lab_scenario | sender_file) echo toml ;;
    *_line) echo json ;;
    esac
}
