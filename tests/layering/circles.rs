//! Finds files that name each other, straight or over others: such files can
//! only be read, tested and changed together.

use super::paths::{Named, named};
use std::collections::{BTreeMap, BTreeSet};

/// A source as the search takes it: its file, its module, its text.
pub type Source<'s> = (&'s str, &'s [String], &'s str);

/// Every circle, each as the files on it, the first once more at the end.
pub fn circles(sources: &[Source<'_>]) -> Vec<String> {
    let house = House::new(sources);
    let mut search =
        Search { arrows: house.arrows(), way: Vec::new(), left: BTreeSet::new(), found: Vec::new() };
    for file in house.files.values() {
        search.enter(file);
    }
    search.found
}

struct House<'s> {
    /// Files by their module.
    files: BTreeMap<&'s [String], &'s str>,
    /// What the file of each module names.
    named: BTreeMap<&'s [String], Vec<Named>>,
}

impl<'s> House<'s> {
    fn new(sources: &[Source<'s>]) -> Self {
        let files = sources.iter().map(|(file, module, _)| (*module, *file)).collect();
        let named = sources.iter().map(|(_, module, source)| (*module, named(module, untested(source))));
        Self { files, named: named.collect() }
    }

    /// Which files each file names.
    fn arrows(&self) -> BTreeMap<&'s str, BTreeSet<&'s str>> {
        let arrows = self.named.iter().map(|(module, all)| {
            let used = all.iter().filter(|named| !named.handed_on || is_used(all, named));
            let paths = used.filter_map(|named| {
                let path = self.absolute(module, &named.segments);
                // `pub(super)`, `pub(in …)`: who may see it, not what it sees.
                (named.imported || !module.starts_with(&path)).then_some(path)
            });
            let targets = paths.filter_map(|path| self.target(&path, 0));
            (self.files[module], targets.filter(|file| *file != self.files[module]).collect())
        });
        arrows.collect()
    }

    /// A path from the root of the crate, without it; empty for one that leads
    /// elsewhere. What begins with the name of a child leads there.
    fn absolute(&self, module: &[String], segments: &[String]) -> Vec<String> {
        match segments {
            [root, rest @ ..] if root == "crate" => return rest.to_vec(),
            // A name, or `mod name;`.
            [_] => return Vec::new(),
            _ => {}
        }
        let child: Vec<String> = module.iter().chain(segments.first()).cloned().collect();
        let is_one = self.files.contains_key(child.as_slice());
        if is_one { module.iter().chain(segments).cloned().collect() } else { Vec::new() }
    }

    /// The file in which a path ends: where a module only hands on what another
    /// defines, the other's.
    fn target(&self, path: &[String], hops: usize) -> Option<&'s str> {
        let depth = (1..=path.len()).rev().find(|depth| self.files.contains_key(&path[..*depth]))?;
        let (module, rest) = path.split_at(depth);
        let handed_on = rest.first().filter(|_| hops < 4).and_then(|name| {
            let named = self.named[module].iter().filter(|named| named.imported);
            named
                .map(|named| self.absolute(module, &named.segments))
                .find(|other| other.last() == Some(name) && other.get(..depth + 1) != path.get(..depth + 1))
        });
        handed_on.and_then(|other| self.target(&other, hops + 1)).or(Some(self.files[module]))
    }
}

/// Whether a file uses what it hands on.
fn is_used(all: &[Named], handed_on: &Named) -> bool {
    let name = handed_on.segments.last();
    all.iter().any(|other| !other.imported && other.segments.first() == name)
}

/// A source without the tests at its end.
pub fn untested(source: &str) -> &str {
    source.find("\nmod tests {").map_or(source, |end| &source[..end])
}

struct Search<'s> {
    arrows: BTreeMap<&'s str, BTreeSet<&'s str>>,
    way: Vec<&'s str>,
    left: BTreeSet<&'s str>,
    found: Vec<String>,
}

impl<'s> Search<'s> {
    fn enter(&mut self, file: &'s str) {
        if self.left.contains(file) {
            return;
        }
        if let Some(begin) = self.way.iter().position(|on_it| *on_it == file) {
            let circle: Vec<&str> = self.way[begin..].iter().copied().chain([file]).collect();
            self.found.push(circle.join(" -> "));
            return;
        }
        self.way.push(file);
        for next in self.arrows.get(file).cloned().unwrap_or_default() {
            self.enter(next);
        }
        self.way.pop();
        self.left.insert(file);
    }
}
