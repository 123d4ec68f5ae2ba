//! A file of options for a command, so that a survey that is made every month is a
//! file in a repository. A key is an option without its dashes; what the file says
//! stands for the words of a command line, so that both are read by one set of rules.

use crate::model::text::line_of;
use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use toml::de::{DeTable, DeValue};

/// Where the options come from, and whether to show them.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// Read options from this file (TOML); what the command line says counts more. Paths in it are relative to the
    /// working directory
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print all options with their values as TOML, as --config reads it, and do nothing else
    #[arg(long)]
    pub print_config: bool,

    /// The command line that a file stands for.
    #[arg(skip)]
    pub words: Option<Vec<String>>,
}

/// Options that cannot stand in a file: they say where it is, or go on with a run.
const NOT_IN_FILE: [&str; 4] = ["config", PRINT_CONFIG, "resume", "help"];

/// The option that prints the others.
pub const PRINT_CONFIG: &str = "print_config";

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Its line, from 1, where one is to blame.
    pub line: Option<u64>,
    /// What is wrong, with the key.
    pub what: String,
}

/// The words of one key.
struct FileOption {
    line: u64,
    words: Vec<OsString>,
}

/// A file that was read.
pub struct ConfigFile(BTreeMap<String, FileOption>);

/// The key of an option in a file, or of what is no option, as INPUT (`list`); `None` of
/// one that cannot stand there.
fn key_of(option: &Arg) -> Option<&str> {
    let id = option.get_id().as_str();
    if NOT_IN_FILE.contains(&id) {
        return None;
    }
    if option.is_positional() { Some(id) } else { option.get_long() }
}

/// What a value has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    Switch,
    Number,
    Text,
    Texts,
}

fn kind_of(option: &Arg) -> ValueKind {
    let parser: &ValueParser = option.get_value_parser();
    let of = parser.type_id();
    let numbers = [TypeId::of::<u8>(), TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>()];
    match option.get_action() {
        ArgAction::SetTrue => ValueKind::Switch,
        ArgAction::Count => ValueKind::Number,
        ArgAction::Append => ValueKind::Texts,
        _ if numbers.iter().any(|number| of == *number) => ValueKind::Number,
        _ => ValueKind::Text,
    }
}

impl ConfigFile {
    /// Reads the options of a command.
    ///
    /// # Errors
    /// It is no TOML, a key is no option, or a value is of another type.
    pub fn read(text: &str, command: &Command) -> Result<Self, ConfigFault> {
        let table = DeTable::parse(text).map_err(|error| ConfigFault {
            line: error.span().map(|span| line_of(text, span.start)),
            what: error.message().to_string(),
        })?;
        let mut entries = BTreeMap::new();
        for (key, value) in table.get_ref() {
            let name: &str = key.get_ref();
            let line = line_of(text, key.span().start);
            let fault = |what| ConfigFault { line: Some(line), what };
            let option = command.get_arguments().find(|option| key_of(option) == Some(name));
            let option = option.ok_or_else(|| fault(unknown(name, command)))?;
            let mut words = words(name, option, value.get_ref()).map_err(fault)?;
            // By default is as good as not said, and asks for no option beside it.
            words.retain(|word| !is_default(word, name, option));
            entries.insert(name.to_string(), FileOption { line, words });
        }
        Ok(Self(entries))
    }

    /// The words of all options that `given`, a command line, says nothing of, nor of
    /// what goes not with them.
    pub fn words_beside(&self, command: &Command, given: &ArgMatches) -> Vec<OsString> {
        let is_given = |option: &Arg| is_given(given, option);
        let is_overruled = |option: &Arg| {
            let of_other = |other: &Arg| {
                command.get_arg_conflicts_with(other).iter().any(|it| it.get_id() == option.get_id())
            };
            is_given(option)
                || command.get_arg_conflicts_with(option).into_iter().any(is_given)
                || command.get_arguments().any(|other| is_given(other) && of_other(other))
        };
        let counted = command.get_arguments().filter(|option| !is_overruled(option));
        let entries = counted.filter_map(|option| self.0.get(key_of(option)?));
        entries.flat_map(|entry| entry.words.iter().cloned()).collect()
    }

    /// The line of a key.
    pub fn line(&self, key: &str) -> Option<u64> {
        self.0.get(key).map(|entry| entry.line)
    }
}

fn is_default(word: &OsStr, name: &str, option: &Arg) -> bool {
    let of_default =
        |default: &OsStr| word.to_str() == Some(&format!("--{name}={}", default.to_string_lossy()));
    option.get_default_values().iter().any(|default| of_default(default.as_os_str()))
}

fn is_given(matches: &ArgMatches, option: &Arg) -> bool {
    let id = option.get_id().as_str();
    matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
}

fn unknown(name: &str, command: &Command) -> String {
    let dashed = name.replace('_', "-");
    let known = command.get_arguments().filter_map(key_of);
    match known.into_iter().find(|known| *known == dashed) {
        Some(known) => format!("{name}: no option; {known} is one"),
        None => format!("{name}: no option of mxray {} that can stand in a file", command.get_name()),
    }
}

/// What an option with this value is on a command line; nothing of a switch that is off.
fn words(name: &str, option: &Arg, value: &DeValue<'_>) -> Result<Vec<OsString>, String> {
    let word = |value: &str| match option.is_positional() {
        true => OsString::from(value),
        false => OsString::from(format!("--{name}={value}")),
    };
    let wrong = |wanted| Err(format!("{name}: not {wanted}, but {}", type_name(value)));
    Ok(match (kind_of(option), value) {
        (ValueKind::Switch, DeValue::Boolean(is_on)) => {
            is_on.then(|| OsString::from(format!("--{name}"))).into_iter().collect()
        }
        (ValueKind::Switch, _) => return wrong("true or false"),
        (ValueKind::Number, DeValue::Integer(number)) => {
            let digits = number.as_str();
            if number.radix() != 10 {
                return Err(format!("{name}: not in decimal digits"));
            }
            if name == "verbose" {
                let count: usize = digits.parse().map_err(|_| format!("{name}: not 0, 1 or 2"))?;
                vec![OsString::from("--verbose"); count.min(2)]
            } else {
                vec![word(digits)]
            }
        }
        (ValueKind::Number, _) => return wrong("a whole number"),
        (ValueKind::Text | ValueKind::Texts, DeValue::String(text)) => vec![word(text)],
        (ValueKind::Texts, DeValue::Array(array)) => {
            let mut words = Vec::new();
            for item in array.iter() {
                match item.get_ref() {
                    DeValue::String(text) => words.push(word(text)),
                    _ => return Err(format!("{name}: not a list of text in quotes")),
                }
            }
            words
        }
        (ValueKind::Text, _) => return wrong("text in quotes"),
        (ValueKind::Texts, _) => return wrong("text in quotes, or a list of it"),
    })
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// All options of a command with their values, as [`ConfigFile::read`] takes them. One
/// that has no value is a comment.
pub fn print_config(command: &Command, matches: &ArgMatches) -> String {
    let mut out = format!("# Options of mxray {}: mxray {0} --config FILE\n", command.get_name());
    for option in command.get_arguments() {
        let Some(key) = key_of(option) else { continue };
        out.push_str(&format!("\n# {}\n", first_sentence(option)));
        match value(option, matches) {
            Some(value) => out.push_str(&format!("{key} = {value}\n")),
            None => out.push_str(&format!("# {key} = {}\n", example(option))),
        }
    }
    out
}

fn first_sentence(option: &Arg) -> String {
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = help.split(". ").next().unwrap_or_default();
    sentence.split(" [default:").next().unwrap_or_default().trim_end_matches('.').to_string()
}

/// The value of an option; `None` if it has none.
fn value(option: &Arg, matches: &ArgMatches) -> Option<String> {
    let id = option.get_id().as_str();
    let raw = || -> Option<Vec<String>> {
        let words = matches.try_get_raw(id).ok().flatten()?;
        Some(words.map(|word| word.to_string_lossy().into_owned()).collect())
    };
    match kind_of(option) {
        ValueKind::Switch => Some(matches.get_flag(id).to_string()),
        ValueKind::Number if matches!(option.get_action(), ArgAction::Count) => {
            Some(matches.get_count(id).to_string())
        }
        ValueKind::Number => raw()?.pop(),
        ValueKind::Text => raw()?.pop().map(|word| quoted(&word)),
        ValueKind::Texts => {
            let words: Vec<String> = raw()?.iter().map(|word| quoted(word)).collect();
            Some(format!("[{}]", words.join(", ")))
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

fn example(option: &Arg) -> String {
    let names = option.get_value_names().unwrap_or_default();
    let name = names.first().map_or("VALUE", |name| name.as_str());
    match kind_of(option) {
        ValueKind::Texts => format!("[{}]", quoted(name)),
        ValueKind::Number => name.to_string(),
        _ => quoted(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    fn command(name: &str) -> Command {
        let mut whole = Cli::command();
        whole.build();
        whole.find_subcommand(name).unwrap().clone()
    }

    fn scan() -> Command {
        command("scan")
    }

    fn parsed(command: &Command, words: &[OsString]) -> Result<ArgMatches, clap::Error> {
        let lead = ["mxray", command.get_name()].map(OsString::from);
        let whole = Cli::command().try_get_matches_from(lead.iter().chain(words))?;
        Ok(whole.subcommand_matches(command.get_name()).unwrap().clone())
    }

    /// What is printed of a file beside these words.
    fn printed_for(command: &Command, text: &str, given: &[&str]) -> String {
        let given: Vec<OsString> = given.iter().chain(&["--print-config"]).map(OsString::from).collect();
        let file = ConfigFile::read(text, command).unwrap_or_else(|fault| panic!("{fault:?}: {text}"));
        let mut words = file.words_beside(command, &parsed(command, &given).unwrap());
        words.extend(given);
        print_config(command, &parsed(command, &words).unwrap_or_else(|error| panic!("{error}: {words:?}")))
    }

    fn printed(text: &str, given: &[&str]) -> String {
        printed_for(&scan(), text, given)
    }

    /// A value that an option does not have by default.
    fn sample(option: &Arg) -> String {
        let default = option.get_default_values().first().map(|default| default.to_os_string());
        let possible = option.get_possible_values();
        let other = possible.iter().find(|value| Some(OsString::from(value.get_name())) != default);
        let key = key_of(option).unwrap();
        let text = match (other, kind_of(option), key) {
            (_, ValueKind::Switch, _) => return "true".to_string(),
            (_, ValueKind::Number, "verbose") => return "2".to_string(),
            (_, ValueKind::Number, _) => return "9".to_string(),
            (Some(other), ..) => other.get_name(),
            (None, _, "shard") => "2/3",
            (None, _, "metrics" | "resolver") => "127.0.0.1:9925",
            (None, _, "timeout") => "greeting=7s",
            (None, _, "at") => "2026-11-24",
            (None, _, "recipient-domain") => "mail.example",
            (None, _, "after-tls-failure") => "defer",
            (None, ..) if option.get_value_names().unwrap()[0] == "TIME" => "7s",
            (None, ..) => r#"a "name" of mail.example"#,
        };
        let text = if key == "contact" { "postmaster@mail.example" } else { text };
        let value = quoted(text);
        if kind_of(option) == ValueKind::Texts { format!("[{value}]") } else { value }
    }

    /// What clap asks for beside an option.
    fn beside(key: &str) -> &'static str {
        match key {
            "client-cert" => "client-key = 'k'\n",
            "client-key" => "client-cert = 'c'\n",
            "canary-interval" => "canary = ['mail.example']\n",
            "enumerate-connections" => "enumerate = true\n",
            "accepted-domain" => "connectors = 'c.toml'\n",
            _ => "",
        }
    }

    #[test]
    fn every_option_can_stand_in_a_file_and_is_printed_as_it_is_read() {
        for (name, options_min) in [("scan", 50), ("probe", 30), ("judge", 10)] {
            let command = command(name);
            let options =
                command.get_arguments().filter(|option| is_read_as_printed(&command, option)).count();
            assert!(options > options_min, "{name}: {options}");
        }
    }

    /// Whether an option can stand in a file, where it is printed as it is read.
    fn is_read_as_printed(command: &Command, option: &Arg) -> bool {
        let Some(key) = key_of(option) else {
            assert!(NOT_IN_FILE.contains(&option.get_id().as_str()), "{option}");
            return false;
        };
        let line = format!("{key} = {}\n", sample(option));
        let text = printed_for(command, &format!("{}{line}", beside(key)), &[]);
        let read: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let wanted: toml::Table = toml::from_str(&line).unwrap();
        assert_eq!(read[key], wanted[key], "{text}");
        assert_eq!(printed_for(command, &text, &[]), text, "the same again");
        true
    }

    #[test]
    fn each_option_is_told_in_a_sentence_though_it_has_no_value() {
        let text = printed("", &[]);
        assert!(text.contains("\n# New connections per second; 0: no limit\nrate = 100\n"), "{text}");
        assert!(
            text.contains("\n# Column that holds the domain, in CSV with a header\n# column = \"NAME\"\n"),
            "{text}"
        );
        let keys = scan().get_arguments().filter_map(key_of).map(str::to_string).collect::<Vec<_>>();
        assert!(keys.iter().all(|key| text.contains(&format!("{key} = "))), "{text}");
    }

    #[test]
    fn the_command_line_counts_more_than_the_file_and_that_more_than_the_default() {
        let file = "rate = 7\nretries = 3\nresolver = ['192.0.2.1:53', '192.0.2.2:53']\nsample = true\n";
        let text = printed(file, &["--rate", "9", "--resolver", "192.0.2.3:53", "--every-name"]);
        for line in
            ["rate = 9", "retries = 3", "resolver = [\"192.0.2.3:53\"]", "in-flight = 1000", "sample = false"]
        {
            assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_key() {
        for (text, line, what) in [
            ("\nrates = 7\n", 2, "rates: no option of mxray scan that can stand in a file"),
            ("per_ip_rate = 7\n", 1, "per_ip_rate: no option; per-ip-rate is one"),
            ("rate = 1\n\nretries = '3'\n", 3, "retries: not a whole number, but text"),
            ("report = 1\n", 1, "report: not true or false, but a whole number"),
            ("ehlo = true\n", 1, "ehlo: not text in quotes, but true or false"),
            ("resolver = [1]\n", 1, "resolver: not a list of text in quotes"),
            ("rate = 0x10\n", 1, "rate: not in decimal digits"),
            ("resume = 'run'\n", 1, "resume: no option of mxray scan that can stand in a file"),
        ] {
            let fault = ConfigFile::read(text, &scan()).err().unwrap();
            assert_eq!((fault.line, fault.what.as_str()), (Some(line), what), "{text}");
        }
        assert_eq!(ConfigFile::read("rate = 1\nrate =\n", &scan()).err().unwrap().line, Some(2));
    }
}
