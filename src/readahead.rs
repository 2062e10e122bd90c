//! Reading ahead: while content is used, a thread fetches what follows.

use std::io::{self, BufRead, Read};
use std::mem;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{During, Result};

/// Large enough that handing a block over costs nothing beside hashing it.
const BLOCK: usize = 256 << 10;

/// The number of blocks in memory.
const BLOCKS: usize = 4;

/// How long a block waits to become full before it is handed over as it is.
const PATIENCE: Duration = Duration::from_millis(50);

/// The bytes of a reader that is read on a thread of its own.
pub(crate) struct Readahead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    /// Takes back what was used: memory that is new costs more than what is read into it.
    spent: Sender<Vec<u8>>,
    current: Vec<u8>,
    used: usize,
}

impl Readahead {
    /// `Kind::Local` if the machine has no thread left.
    pub(crate) fn start(mut reader: impl Read + Send + 'static) -> Result<Self> {
        // There is one more at each end.
        let (sender, blocks) = sync_channel(BLOCKS - 2);
        let (spent, free) = channel();
        let read = move || {
            loop {
                let (block, outcome) = next_block(&mut reader, free.try_recv().unwrap_or_default());
                let is_last = block.is_empty() || outcome.is_err();
                // Without a receiver the rest is not needed.
                let is_wanted = block.is_empty() || sender.send(Ok(block)).is_ok();
                if let Err(error) = outcome {
                    let _ = sender.send(Err(error));
                }
                if is_last || !is_wanted {
                    return;
                }
            }
        };
        thread::Builder::new().spawn(read).during("a thread to read with")?;
        Ok(Readahead { blocks, spent, current: Vec::new(), used: 0 })
    }
}

/// Reads until the block is full, the content has ended, or enough time has passed.
fn next_block(reader: &mut impl Read, mut block: Vec<u8>) -> (Vec<u8>, io::Result<()>) {
    let (begun, mut length) = (Instant::now(), 0);
    block.resize(BLOCK, 0);
    let outcome = loop {
        match reader.read(&mut block[length..]) {
            Ok(0) => break Ok(()),
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
        if length == BLOCK || begun.elapsed() > PATIENCE {
            break Ok(());
        }
    };
    block.truncate(length);
    (block, outcome)
}

impl BufRead for Readahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.current.len() {
            // Without a sender the content has ended.
            let next = self.blocks.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
            let _ = self.spent.send(mem::replace(&mut self.current, next));
            self.used = 0;
        }
        Ok(&self.current[self.used..])
    }

    fn consume(&mut self, amount: usize) {
        self.used += amount;
    }
}

impl Read for Readahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::error::{Error, Kind};

    #[test]
    fn what_goes_in_comes_out() {
        let bytes: Vec<u8> = (0..3 * BLOCK as u32 + 17).map(|n| (n >> 3) as u8).collect();
        let mut out = Vec::new();
        let mut reader = Readahead::start(io::Cursor::new(bytes.clone())).unwrap();
        reader.read_to_end(&mut out).unwrap();
        assert!(out == bytes);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the end stays the end");
    }

    #[test]
    fn what_came_before_an_error_is_handed_over() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(Error::new(Kind::Unavailable, "gone").into())
            }
        }
        let mut reader = Readahead::start(io::Cursor::new(b"abc").chain(Broken)).unwrap();
        assert_eq!(reader.fill_buf().unwrap(), b"abc");
        reader.consume(3);
        let error = Error::from(reader.fill_buf().unwrap_err());
        assert_eq!(error, Error::new(Kind::Unavailable, "gone"));
    }

    #[test]
    fn nobody_reads_far_ahead() {
        struct Endless(std::sync::mpsc::Sender<()>);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let _ = self.0.send(());
                Ok(buffer.len())
            }
        }
        let (sender, reads) = channel();
        let mut reader = Readahead::start(Endless(sender)).unwrap();
        for _ in 0..100 {
            let length = reader.fill_buf().unwrap().len();
            reader.consume(length);
        }
        drop(reader);
        // The thread ends, and with it the sender.
        assert!(reads.iter().count() <= 100 + BLOCKS);
    }
}
