//! DER as a tree that can be changed and written again, its lengths made anew.

#[derive(Clone, Debug)]
pub struct Element {
    pub tag: u8,
    pub inside: Inside,
}

#[derive(Clone, Debug)]
pub enum Inside {
    Bytes(Vec<u8>),
    /// Elements behind these bytes: those of a BIT STRING count unused bits.
    Elements(Vec<u8>, Vec<Element>),
}

const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;

impl Element {
    /// One without elements inside.
    pub fn plain(tag: u8, content: &[u8]) -> Self {
        Self { tag, inside: Inside::Bytes(content.to_vec()) }
    }

    /// All elements of `der`; none where it is not wholly DER.
    pub fn read_all(der: &[u8]) -> Vec<Self> {
        let mut all = Vec::new();
        let mut rest = der;
        while !rest.is_empty() {
            let Some((element, after)) = Self::read(rest) else { return Vec::new() };
            all.push(element);
            rest = after;
        }
        all
    }

    fn read(der: &[u8]) -> Option<(Self, &[u8])> {
        let (tag, first) = (*der.first()?, *der.get(1)?);
        let (length, header) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81 => (usize::from(*der.get(2)?), 3),
            0x82 => (usize::from(u16::from_be_bytes([*der.get(2)?, *der.get(3)?])), 4),
            _ => return None,
        };
        let content = der.get(header..header + length)?;
        Some((Self::of(tag, content), &der[header + length..]))
    }

    /// The strings that wrap DER are looked into as well.
    fn of(tag: u8, content: &[u8]) -> Self {
        let before = match tag {
            BIT_STRING => 1.min(content.len()),
            OCTET_STRING => 0,
            _ if tag & CONSTRUCTED != 0 => 0,
            _ => return Self::plain(tag, content),
        };
        let (front, back) = content.split_at(before);
        let elements = Self::read_all(back);
        if elements.is_empty() && !back.is_empty() {
            return Self::plain(tag, content);
        }
        Self { tag, inside: Inside::Elements(front.to_vec(), elements) }
    }

    /// The content as bytes.
    pub fn content(&self) -> Vec<u8> {
        match &self.inside {
            Inside::Bytes(bytes) => bytes.clone(),
            Inside::Elements(front, elements) => [front.clone(), Self::write_all(elements)].concat(),
        }
    }

    /// All elements as DER.
    pub fn write_all(elements: &[Self]) -> Vec<u8> {
        let mut out = Vec::new();
        for element in elements {
            let content = element.content();
            out.push(element.tag);
            let length = content.len().to_be_bytes();
            let significant = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
            let length = &length[significant..];
            if content.len() >= 0x80 {
                out.push(0x80 | u8::try_from(length.len()).unwrap());
            }
            out.extend(length);
            out.extend(content);
        }
        out
    }

    /// How many elements there are, itself included.
    pub fn count(&self) -> usize {
        1 + self.elements().iter().map(Self::count).sum::<usize>()
    }

    fn elements(&self) -> &[Self] {
        match &self.inside {
            Inside::Bytes(_) => &[],
            Inside::Elements(_, elements) => elements,
        }
    }

    /// The element at a place, counted in the order of the bytes.
    pub fn find(elements: &[Self], place: usize) -> &Self {
        let mut place = place;
        for element in elements {
            match place {
                0 => return element,
                inner if inner < element.count() => return Self::find(element.elements(), inner - 1),
                _ => place -= element.count(),
            }
        }
        panic!("no element at {place}")
    }

    /// Puts in the place of an element what `with` makes of it.
    pub fn change(elements: &mut Vec<Self>, place: usize, with: impl FnOnce(Self) -> Vec<Self>) {
        let mut place = place;
        for (index, element) in elements.iter_mut().enumerate() {
            let count = element.count();
            if place == 0 {
                let made = with(element.clone());
                elements.splice(index..=index, made);
                return;
            }
            if place < count {
                if let Inside::Elements(_, inside) = &mut element.inside {
                    Self::change(inside, place - 1, with);
                }
                return;
            }
            place -= count;
        }
    }
}
