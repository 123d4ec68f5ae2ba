//! Records out: the run directory and the streams for pipes.
