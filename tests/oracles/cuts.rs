//! One stream cut in different ways, for oracles by which cutting changes
//! nothing.

/// The stream whole, byte by byte, and in pieces of odd sizes.
///
/// The sizes follow from the stream, so that an input that breaks something
/// breaks it again, and a fuzzer that changes a byte changes the cuts too.
pub fn cuts(stream: &[u8]) -> [Vec<&[u8]>; 3] {
    [vec![stream], stream.chunks(1).collect(), odd(stream)]
}

/// Most bytes of an odd piece.
const PIECE_BYTES_MAX: u64 = 40;

fn odd(stream: &[u8]) -> Vec<&[u8]> {
    let mut state = fnv1a(stream);
    let mut pieces = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        // The multiplier of Knuth's MMIX; its upper bits are the good ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let size = usize::try_from((state >> 33) % PIECE_BYTES_MAX + 1).unwrap().min(rest.len());
        let (piece, after) = rest.split_at(size);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
