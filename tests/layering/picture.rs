//! The picture of the rooms and of who names whom, drawn from the sources:
//! `docs/rooms.svg`, which `ARCHITECTURE.md` shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Width and height of a room, and the space between rooms, in pixels.
const ROOM: (usize, usize) = (100, 30);
const GAP: (usize, usize) = (16, 46);
/// Margin of the picture, in pixels.
const MARGIN: usize = 10;

/// Which rooms each room names.
pub type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The rooms as an SVG, each above all that it names. An arrow that others
/// already tell is left out.
pub fn picture(arrows: &Arrows) -> String {
    let floors = floors(arrows);
    let wide = floors.iter().map(Vec::len).max().unwrap_or_default();
    let width = 2 * MARGIN + wide * (ROOM.0 + GAP.0) - GAP.0;
    let height = 2 * MARGIN + floors.len() * (ROOM.1 + GAP.1) - GAP.1;
    let mut places = BTreeMap::new();
    for (floor, rooms) in floors.iter().rev().enumerate() {
        let indent = (width - (rooms.len() * (ROOM.0 + GAP.0) - GAP.0)) / 2;
        for (index, room) in rooms.iter().enumerate() {
            let place = (indent + index * (ROOM.0 + GAP.0), MARGIN + floor * (ROOM.1 + GAP.1));
            places.insert(room.as_str(), place);
        }
    }
    draw(arrows, &places, (width, height))
}

fn draw(arrows: &Arrows, places: &BTreeMap<&str, (usize, usize)>, (width, height): (usize, usize)) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (from, to) in arrows.iter().flat_map(|(from, all)| told(arrows, from, all)) {
        let ((x, y), (to_x, to_y)) = (places[from], places[to]);
        let (x, to_x, y) = (x + ROOM.0 / 2, to_x + ROOM.0 / 2, y + ROOM.1);
        let bend = GAP.1 / 2;
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {y}C{x} {} {to_x} {} {to_x} {to_y}\" fill=\"none\" stroke=\"#89a\"/>",
            y + bend,
            to_y - bend
        );
    }
    for (room, (x, y)) in places {
        let (middle, base) = (x + ROOM.0 / 2, y + ROOM.1 / 2 + 5);
        let (room_width, room_height) = ROOM;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{room_width}\" height=\"{room_height}\" rx=\"5\" fill=\"#eef3f8\" \
             stroke=\"#357\"/><text x=\"{middle}\" y=\"{base}\" text-anchor=\"middle\">{room}</text>"
        );
    }
    svg + "</svg>\n"
}

/// The arrows of a room without those that lead where another leads to as well.
fn told<'a>(arrows: &'a Arrows, from: &'a str, all: &'a BTreeSet<String>) -> Vec<(&'a str, &'a str)> {
    let leads = |to: &&String| !all.iter().any(|over| over != *to && reaches(arrows, over, to));
    all.iter().filter(leads).map(|to| (from, to.as_str())).collect()
}

fn reaches(arrows: &Arrows, from: &str, to: &str) -> bool {
    arrows.get(from).is_some_and(|all| all.contains(to) || all.iter().any(|over| reaches(arrows, over, to)))
}

/// The rooms by floor, lowest first, those with much in common side by side.
fn floors(arrows: &Arrows) -> Vec<Vec<String>> {
    let mut floors: Vec<Vec<String>> = Vec::new();
    for room in arrows.keys() {
        let floor = height(arrows, room);
        floors.resize(floors.len().max(floor + 1), Vec::new());
        floors[floor].push(room.clone());
    }
    for floor in 1..floors.len() {
        let (below, above) = floors.split_at_mut(floor);
        let place = |room: &String| {
            let ways = below.iter().flat_map(|rooms| {
                let middle = rooms.len();
                rooms.iter().enumerate().filter(|(_, other)| arrows[room].contains(*other)).map(
                    move |(index, _)| {
                        i64::try_from(2 * index + 1).unwrap_or(0) - i64::try_from(middle).unwrap_or(0)
                    },
                )
            });
            let ways: Vec<i64> = ways.collect();
            1000 * ways.iter().sum::<i64>() / i64::try_from(ways.len().max(1)).unwrap_or(1)
        };
        above[0].sort_by_cached_key(place);
    }
    floors
}

fn height(arrows: &Arrows, room: &str) -> usize {
    let below = arrows.get(room).into_iter().flatten();
    below.map(|other| height(arrows, other) + 1).max().unwrap_or_default()
}
