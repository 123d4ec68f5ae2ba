//! A run that goes on: what is kept of it is written anew, and then put in its place.

use super::OutputError;
use super::directory::{NAMES, RunDirectory, lock};
use super::durable;
use super::run_info::{self, RunInfo};
use super::write_error::named;
use crate::model::Record;
use crate::packing::{self, Packing};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of a file before it takes the place of an older one.
fn fresh(name: &str) -> String {
    format!("{name}.new")
}

/// A run with which somebody goes on, while what is kept of it is written anew. Until
/// it is settled nothing of the run is changed.
pub struct RewrittenRun {
    dir: PathBuf,
    /// `None` once it is settled.
    directory: Option<RunDirectory>,
}

impl RewrittenRun {
    /// Writes one record that is kept.
    ///
    /// # Errors
    /// That of the file, which the message names.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        self.directory.as_mut().map_or(Ok(()), |directory| directory.write(record))
    }

    /// Says in `run.json` that the run goes on, and puts the files in place, each in
    /// one step, once the disk has all of them. What rests on others goes first:
    /// whoever is killed meanwhile leaves no row without what it rests on, and the
    /// next begins anew with what is there.
    ///
    /// # Errors
    /// That of the first file that fails, which the message names.
    pub fn settle(mut self) -> io::Result<RunDirectory> {
        let directory = self.directory.as_mut().ok_or(io::ErrorKind::NotFound)?;
        directory.flush()?;
        let dir = &self.dir;
        // The other way round than they are flushed.
        let files: Vec<_> = directory.files().into_iter().rev().map(|file| file.name()).collect();
        for name in &files {
            durable::sync_file(dir, &fresh(name)).map_err(|error| named(name, &error))?;
        }
        let run_json = |error: io::Error| named(run_info::RUN_NAME, &error);
        run_info::replace(dir, &directory.info, None::<&()>).map_err(run_json)?;
        for name in files {
            fs::rename(dir.join(fresh(name)), dir.join(name)).map_err(|error| named(name, &error))?;
        }
        durable::sync_folder(dir)?;
        run_info::keep_room(dir, &directory.info).map_err(run_json)?;
        self.directory.take().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Drop for RewrittenRun {
    fn drop(&mut self) {
        if self.directory.take().is_some() {
            // What was not settled is of no use to anyone.
            let _ = remove_fresh(&self.dir);
        }
    }
}

/// Removes what a process left that was killed while it wrote the files anew.
fn remove_fresh(dir: &Path) -> io::Result<()> {
    let packings = Packing::ALL.map(Some).into_iter().chain([None]);
    for name in packings.flat_map(|packing| NAMES.map(|name| packing::file_name(name, packing))) {
        match fs::remove_file(dir.join(fresh(&name))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl RunDirectory {
    /// Goes on with a run that did not finish: makes every file once more, beside the
    /// one that is there. Whatever is to be kept of the run is to be written to them
    /// before [`RewrittenRun::settle`] puts them in place.
    ///
    /// # Errors
    /// [`OutputError`]: another process goes on with it, or the system does not let
    /// us write there.
    pub fn go_on(dir: &Path, info: &RunInfo) -> Result<RewrittenRun, OutputError> {
        let failed = |source| OutputError::GoOn { dir: dir.to_path_buf(), source };
        let lock = lock(dir)?;
        remove_fresh(dir).map_err(failed)?;
        let opened = Self::open(dir, info, lock, fresh);
        let directory = opened.inspect_err(|_| drop(remove_fresh(dir))).map_err(failed)?;
        Ok(RewrittenRun { dir: dir.to_path_buf(), directory: Some(directory) })
    }
}
