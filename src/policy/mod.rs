//! From observations to verdicts: pure functions, judged again at will.
