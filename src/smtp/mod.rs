//! The SMTP client side of a STARTTLS dialogue, without sockets (RFC 5321, RFC 3207).
