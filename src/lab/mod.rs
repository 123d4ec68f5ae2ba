//! A fleet of mail servers and their DNS on loopback, played from scenario files.
