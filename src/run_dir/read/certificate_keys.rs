//! Which key each certificate of a run is about, 64 bytes a certificate.

use super::StoreError;
use super::certificates::FILE;
use super::table_rows::TableRows;
use crate::model::Sha256;
use std::path::Path;

/// Keys by certificate.
#[derive(Debug, Default)]
pub struct CertificateKeys(Vec<(Sha256, Sha256)>);

impl CertificateKeys {
    /// Reads `certificates.csv` of some run directories. A certificate whose key could not be
    /// read is not among them.
    ///
    /// # Errors
    /// [`StoreError`]: a table cannot be read.
    pub fn open<'a>(dirs: impl IntoIterator<Item = &'a Path>) -> Result<Self, StoreError> {
        let mut keys = Vec::new();
        for dir in dirs {
            let mut table = TableRows::open(dir, FILE)?;
            let needed = |name: &str| table.column(name).ok_or_else(|| table.lacks(name));
            // A run that was killed may have no header.
            if table.header().is_empty() {
                continue;
            }
            let (digest, key) = (needed("sha256")?, needed("spki_sha256")?);
            while let Some(row) = table.read_next()? {
                let Some(certificate) = Sha256::parse(row.get(digest)) else {
                    return Err(table.broken("sha256 is no SHA-256"));
                };
                match row.get(key) {
                    "" => {}
                    key => match Sha256::parse(key) {
                        Some(key) => keys.push((certificate, key)),
                        None => return Err(table.broken("spki_sha256 is no SHA-256")),
                    },
                }
            }
            keys.sort_unstable();
            keys.dedup();
        }
        keys.shrink_to_fit();
        Ok(Self(keys))
    }

    fn key(&self, certificate: &str) -> Option<&Sha256> {
        let certificate = Sha256::parse(certificate)?;
        let place = self.0.binary_search_by(|(known, _)| known.cmp(&certificate)).ok()?;
        self.0.get(place).map(|(_, key)| key)
    }

    /// Whether two certificates, by their SHA-256 in hexadecimal, are about one key; `None` if
    /// that of one is not known.
    pub fn same_key(&self, one: &str, other: &str) -> Option<bool> {
        Some(self.key(one)? == self.key(other)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_certificate_over_both_runs() {
        let digest = |digit: &str| digit.repeat(64);
        let table = |rows: &[(&str, &str)]| {
            let dir = tempfile::tempdir().unwrap();
            let rows = rows.iter().map(|(one, key)| format!("{},{},x\n", digest(one), digest(key)));
            let text = "sha256,spki_sha256,subject\n".to_string() + &rows.collect::<String>();
            std::fs::write(dir.path().join(FILE), text).unwrap();
            dir
        };
        let dirs = [table(&[("b", "1"), ("a", "1"), ("d", "")]), table(&[("c", "2"), ("a", "1")])];
        let keys = CertificateKeys::open(dirs.iter().map(|dir| dir.path())).unwrap();
        for (one, other, same) in
            [("a", "b", Some(true)), ("a", "c", Some(false)), ("a", "d", None), ("e", "a", None)]
        {
            assert_eq!(keys.same_key(&digest(one), &digest(other)), same, "{one} {other}");
        }
        assert_eq!(keys.0.len(), 3);
    }
}
