//! Lists in: plain, CSV, ranked CSV, endpoint lists.
