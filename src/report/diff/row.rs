//! A row of `domains.csv` as a comparison sees it.

macro_rules! columns {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The columns of `domains.csv` that are compared or told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "their names are those of docs/columns.md")]
        pub enum ComparedColumn {
            $($(#[$doc])* $variant,)*
        }

        impl ComparedColumn {
            /// All of them, in the order in which a [`ComparedRow`] has their cells.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// Their names in the same order.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            /// Its name in `domains.csv`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

columns! {
    Delivery = "delivery",
    Reason = "reason",
    Basis = "basis",
    InferredFrom = "inferred_from",
    Connector = "connector",
    ConnectorDelivery = "connector_delivery",
    Authenticated = "authenticated",
    MxHost = "mx_host",
    MxOperator = "mx_operator",
    EncryptionOnly = "encryption_only",
    CertificateValidation = "certificate_validation",
    DomainValidation = "domain_validation",
    DeliveryTlsVersion = "delivery_tls_version",
    DeliveryCipherSuite = "delivery_cipher_suite",
    DeliveryKeyExchangeGroup = "delivery_key_exchange_group",
    WeakestDelivery = "weakest_delivery",
    WeakestTlsVersion = "weakest_tls_version",
    WeakestCipherSuite = "weakest_cipher_suite",
    WeakestCertChain = "weakest_cert_chain",
    WeakestCertDates = "weakest_cert_dates",
    WeakestCertName = "weakest_cert_name",
    WeakestCertKey = "weakest_cert_key",
    CertChain = "cert_chain",
    CertDates = "cert_dates",
    CertName = "cert_name",
    CertKey = "cert_key",
    CertSha256 = "cert_sha256",
    Dane = "dane",
    MtaSts = "mta_sts",
    MtaStsMode = "mta_sts_mode",
    TlsRpt = "tls_rpt",
}

/// The cells of one domain in one run.
#[derive(Clone, Debug)]
pub struct ComparedRow<'a> {
    /// Its line in the list.
    pub line: u64,
    cells: Vec<&'a str>,
}

impl<'a> ComparedRow<'a> {
    /// Of the cells of [`ComparedColumn::ALL`]; one that is missing is empty.
    pub fn new(line: u64, cells: impl IntoIterator<Item = &'a str>) -> Self {
        Self { line, cells: cells.into_iter().collect() }
    }

    /// One cell.
    pub fn get(&self, column: ComparedColumn) -> &'a str {
        self.cells.get(column as usize).copied().unwrap_or_default()
    }

    /// Whether the server was not asked under this name, but a sample of the names on
    /// its address was (`--sample`), or another name of an address that nobody answers.
    pub fn is_inferred(&self) -> bool {
        !self.get(ComparedColumn::InferredFrom).is_empty()
    }
}
