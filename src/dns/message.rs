//! The sections of a reply behind its question: which records there are, read
//! as far as they matter.

use super::question::Question;
use hickory_proto::op::{HeaderCounts, Query};
use hickory_proto::rr::rdata::NULL;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, DecodeError, Restrict};

/// Most records of one message that are read, over all sections. One that is
/// as long as a message can be has room for some six thousand.
pub const RECORDS_MAX: usize = 4096;

/// Most pointers of one name (RFC 1035 §4.1.4). One that points to each of its
/// labels has no more: there are 127 at most.
pub(super) const POINTERS_MAX: usize = 127;

/// Octets of the three numbers with which a TLSA record begins (RFC 6698 §2.1).
const TLSA_NUMBERS_OCTETS: u16 = 3;

/// Class IN (RFC 1035 §3.2.4).
const CLASS_IN: u16 = 1;

/// Times to live with the topmost bit set are 0 (RFC 2181 §8).
const TTL_SECONDS_MAX: u32 = 0x7fff_ffff;

/// What of the sections matters to whoever asked.
#[derive(Default)]
pub(super) struct Sections {
    /// Records of the type that was asked for, and aliases, of whatever name.
    pub(super) answers: Vec<Record>,
    /// Whose zone says that there is nothing, and for how many seconds that may
    /// be kept (RFC 2308 §5).
    pub(super) soa: Option<(Name, u32)>,
    /// Whether nameservers are named in the authority section.
    pub(super) names_servers: bool,
    /// The upper bits of the response code, where there is an OPT record (RFC
    /// 6891 §6.1.3).
    pub(super) extended_code: Option<u8>,
}

/// Why the sections cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// A record breaks the syntax.
    Syntax(DecodeError),
    /// There are more than [`RECORDS_MAX`].
    TooMany,
    /// A name goes over more than [`POINTERS_MAX`] pointers.
    Pointers,
}

impl From<DecodeError> for Unreadable {
    fn from(error: DecodeError) -> Self {
        Self::Syntax(error)
    }
}

impl Sections {
    /// Reads them all. What stands behind the last record is nobody's concern.
    ///
    /// # Errors
    /// [`Unreadable`]: a message of which one part cannot be read is not read in
    /// part.
    pub(super) fn read(
        message: &[u8],
        decoder: &mut BinDecoder<'_>,
        counts: HeaderCounts,
        question: &Question,
    ) -> Result<Self, Unreadable> {
        let mut sections = Self::default();
        let counts = [counts.answers, counts.authorities, counts.additionals].map(usize::from);
        let mut left = RECORDS_MAX;
        for (section, count) in counts.into_iter().enumerate() {
            for _ in 0..count {
                left = left.checked_sub(1).ok_or(Unreadable::TooMany)?;
                check_pointers(message, decoder.index())?;
                let head = Head::read(decoder)?;
                if let Some(name) = head.name_in_data() {
                    check_pointers(message, decoder.index() + name)?;
                }
                match section {
                    0 => sections.add_answer(decoder, head, question)?,
                    1 => sections.add_authority(decoder, head)?,
                    _ => sections.add_additional(decoder, head)?,
                }
            }
        }
        Ok(sections)
    }

    fn add_answer(
        &mut self,
        decoder: &mut BinDecoder<'_>,
        head: Head,
        question: &Question,
    ) -> Result<(), DecodeError> {
        let is_wanted = [question.record_type, RecordType::CNAME].contains(&head.record_type);
        if !is_wanted || head.class != CLASS_IN {
            return head.skip(decoder);
        }
        let data = head.data(decoder)?;
        self.answers.push(Record::from_rdata(head.owner, head.ttl, data));
        Ok(())
    }

    fn add_authority(&mut self, decoder: &mut BinDecoder<'_>, head: Head) -> Result<(), DecodeError> {
        match head.record_type {
            RecordType::SOA if head.class == CLASS_IN && self.soa.is_none() => {
                if let RData::SOA(soa) = head.data(decoder)? {
                    let seconds = head.ttl.min(seconds(soa.minimum));
                    self.soa = Some((head.owner, seconds));
                }
                Ok(())
            }
            RecordType::NS => {
                self.names_servers = true;
                head.skip(decoder)
            }
            _ => head.skip(decoder),
        }
    }

    fn add_additional(&mut self, decoder: &mut BinDecoder<'_>, head: Head) -> Result<(), DecodeError> {
        if head.record_type == RecordType::OPT {
            self.extended_code = Some(head.raw_ttl.to_be_bytes()[0]);
        }
        head.skip(decoder)
    }
}

/// What stands before the data of every record (RFC 1035 §4.1.3).
struct Head {
    owner: Name,
    record_type: RecordType,
    class: u16,
    /// Seconds.
    ttl: u32,
    /// As it was sent: an OPT record keeps other things there.
    raw_ttl: u32,
    length: u16,
}

impl Head {
    fn read(decoder: &mut BinDecoder<'_>) -> Result<Self, DecodeError> {
        let owner = Name::read(decoder)?;
        let record_type = RecordType::read(decoder)?;
        // Any value is one.
        let class = decoder.read_u16()?.unverified();
        let raw_ttl = decoder.read_u32()?.unverified();
        let length = decoder.read_u16()?.unverified();
        Ok(Self { owner, record_type, class, ttl: seconds(raw_ttl), raw_ttl, length })
    }

    /// Where in the data a name begins, in octets from its beginning, for types of
    /// which there may be many.
    fn name_in_data(&self) -> Option<usize> {
        match self.record_type {
            RecordType::CNAME | RecordType::NS | RecordType::PTR => Some(0),
            RecordType::MX => Some(2),
            RecordType::SRV => Some(6),
            _ => None,
        }
    }

    /// Its data, to the last octet. A TLSA record that is too short for its numbers is
    /// one that is of no use (RFC 6698 §4.1), and no reason to read no other; it is
    /// given as it came.
    fn data(&self, decoder: &mut BinDecoder<'_>) -> Result<RData, DecodeError> {
        if self.record_type == RecordType::TLSA && self.length < TLSA_NUMBERS_OCTETS {
            // Its maker does not take none at all.
            let mut rdata = NULL::new();
            rdata.anything = decoder.read_vec(usize::from(self.length))?.unverified();
            return Ok(RData::Unknown { code: self.record_type, rdata });
        }
        RData::read(decoder, self.record_type, Restrict::new(self.length))
    }

    fn skip(&self, decoder: &mut BinDecoder<'_>) -> Result<(), DecodeError> {
        decoder.read_slice(usize::from(self.length)).map(drop)
    }
}

/// Refuses a name at `at` that leads over pointer after pointer: with a record
/// for each few octets of such a chain, reading them all would take seconds. What
/// is wrong with it otherwise, its reader says.
fn check_pointers(message: &[u8], mut at: usize) -> Result<(), Unreadable> {
    let mut pointers = 0;
    while let Some(&length) = message.get(at) {
        match length {
            1..=63 => at += 1 + usize::from(length),
            192.. => {
                pointers += 1;
                let low = message.get(at + 1).copied().unwrap_or_default();
                let to = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                if pointers > POINTERS_MAX {
                    return Err(Unreadable::Pointers);
                }
                at = to;
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

fn seconds(ttl: u32) -> u32 {
    if ttl > TTL_SECONDS_MAX { 0 } else { ttl }
}

/// The one question that a reply repeats.
pub(super) fn query(decoder: &mut BinDecoder<'_>) -> Result<Query, DecodeError> {
    Query::read(decoder)
}
