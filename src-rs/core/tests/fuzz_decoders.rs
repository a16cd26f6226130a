//! A row, a payload and a module with arbitrary bytes were each read as if they were valid.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod fuzzing;
mod simulation;
use fuzzing::{Counting, corpus, mutate, peak_of};
use simulation::disk::Door;
use simulation::platter::Image;
use simulation::{Budget, Random};
use std::path::Path;
use std::sync::Arc;
use warmshard_core::frame::{HEAD_LEN, Head, Sealer, host, parts};
use warmshard_core::header::{Header, Root};
use warmshard_core::index::snapshot::Table;
use warmshard_core::storage::{Open, Storage};
use warmshard_core::stores::artifact::payload::{Outputs, Payload, row_block};
use warmshard_core::stores::artifact::{Meta, PayloadInfo, Row, Stream};
use warmshard_core::stores::pipeline::artifact::{Artifact, footer, unseal};
use warmshard_core::stores::program::{Loaded, PARTS, Programs, Request, Wrap};
use warmshard_core::{Digest, Options, PutMeta, Shard, key};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PRINT: [u8; 32] = [7; 32];

fn row() -> Vec<u8> {
    let meta = Meta {
        output_names: vec!["a.o".into(), "b/c.d".into()],
        output_sizes: vec![7, 1 << 40],
        stdout: Stream::Text("done\n".into()),
        stderr: Stream::Bytes(vec![0xff, 0]),
        ..Meta::default()
    };
    let payload = PayloadInfo { set: [9; 16], packed: true, count: 2, bytes: 99 };
    Row { meta: Some(meta), payload: Some(payload) }.encode()
}

fn payload() -> Vec<u8> {
    let outputs: [&[u8]; 2] = [b"first", &[3; 700]];
    let draft = Outputs::new(&outputs).file("key", 5, warmshard_core::stores::artifact::names::Part::Pack);
    draft.chunks(&row_block("key", &row())).concat()
}

fn artifact() -> Vec<u8> {
    [&b"compiled"[..], &footer(&PRINT, b"compiled")].concat()
}

/// Runs every decoder that must accept arbitrary bytes.
fn decode(bytes: &[u8], sound: &[u8]) {
    let _ = Row::decode(bytes);
    if let Some(payload) = unseal(&PRINT, bytes) {
        assert_eq!(payload, b"compiled");
    }
    let door = Door::new(Image::from([("/x".into(), bytes.to_vec())]), 1, false);
    let file = door.open(Path::new("/x"), Open::Read).unwrap().unwrap();
    if let Some(artifact) = Artifact::new(Arc::clone(&file), &PRINT) {
        let mut payload = vec![0; artifact.len()];
        assert!(!artifact.read(&mut payload) || payload == b"compiled");
        assert_eq!(artifact.is_sound(), artifact.read(&mut payload));
    }
    if let Some(payload) = Payload::open(file).unwrap() {
        let _ = (payload.is_sound().unwrap(), payload.last_row().unwrap(), payload.bytes());
        assert!((0..4).filter_map(|i| payload.output(i)).all(|o| o.len <= sound.len() as u64));
    }
    let sealer = Sealer::new(3, Digest::Xxh3);
    if let Ok(header) = Header::decode(bytes, None) {
        let _ = Root::decode_all(bytes, header.check_seed());
    }
    if let Some(head) = Head::read(bytes) {
        let layout = head.layout();
        let lens = bytes.get(layout.validator_end..layout.lens_end).unwrap_or_default();
        parts(head, lens, u64::MAX - 4096).count();
        let _ = (
            host(head, bytes),
            sealer.verify(bytes, 4096),
            bytes.get(HEAD_LEN..).map(|b| key::shown(b, None)),
        );
        if let Some(table) = Table::read(bytes, 4096, &sealer, bytes.len() as u64 + 4096) {
            let _ = (table.entries(bytes), table.probe(u64::MAX));
        }
    }
}

#[test]
fn every_decoder_takes_any_bytes() {
    let mut budget = Budget::new("inputs of decoders", "WARMSHARD_FUZZ_INPUTS", 60_000);
    let header = Header::new(Digest::Xxh3, 3).unwrap().encode("host", "1");
    let mut seeds = vec![row(), payload(), artifact(), header];
    seeds.extend(corpus("bytes"));
    while let Some(seed) = budget.next_seed() {
        let mut random = Random::new(seed);
        let choose = |random: &mut Random| seeds.get(random.next(seeds.len() as u64) as usize).unwrap();
        let (sound, other) = (choose(&mut random), choose(&mut random));
        let mut bytes = sound.clone();
        mutate(&mut bytes, other, &mut random);
        let (peak, ()) = peak_of(|| decode(&bytes, sound));
        assert!(peak <= (1 << 20) + 64 * bytes.len(), "seed {seed}: {peak} bytes for {}", bytes.len());
        budget.count(1);
    }
}

/// The entries that a program cache makes: one module, one resolution and one note.
fn program_entries(dir: &Path, shard: &mut Shard) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let (main, manifest) = (dir.join("a.js"), dir.join("package.json"));
    std::fs::write(&main, "exports.a = 1").unwrap();
    std::fs::write(&manifest, "{}").unwrap();
    let bytes = |path: &Path| path.to_str().unwrap().as_bytes().to_vec();
    let (main, manifest, missing) = (bytes(&main), bytes(&manifest), bytes(&dir.join("none")));
    let facts: [(u8, &[u8]); 3] = [(b'm', &manifest), (b'f', &missing), (b'd', &missing)];
    let mut programs = Programs::new(b"profile", &bytes(dir));
    programs.read(&main, Wrap::Lines).unwrap();
    assert!(programs.record(&main, 0, Some(b"bytecode".to_vec()), b"map", &facts));
    let folder = bytes(dir);
    let request = Request { folder: &folder, request: b"./a", paths: 1 };
    assert!(programs.record_resolution(&request, &main, &main, &facts));
    programs.note(b"name", b"text");
    assert_eq!(programs.publish(shard).unwrap(), 3);
    let keys: Vec<Vec<u8>> = shard.list().unwrap().into_iter().map(|e| e.key.into_bytes()).collect();
    let mut out = Vec::new();
    for key in keys {
        if let warmshard_core::Lookup::Hit(hit) = shard.get(&key, &warmshard_core::Validator::None).unwrap() {
            out.push((key, (0..PARTS).map(|n| shard.read_part(&hit, n).unwrap()).collect()));
        }
    }
    out
}

#[test]
fn a_forged_entry_of_a_program_cache_never_leads_to_what_is_not_there() {
    let mut budget = Budget::new("entries of a program cache", "WARMSHARD_FUZZ_INPUTS", 8_000);
    let dir = tempfile::tempdir().unwrap();
    let names = (0..PARTS).map(|n| n.to_string()).collect::<Vec<_>>();
    let producer = Arc::new(warmshard_core::Producer::new("", "", None, &names).unwrap());
    let options = Options { part_count: PARTS, auto_compact: false, producer, ..Options::default() };
    let open = |door: Door| Shard::open_on(Arc::new(door), Path::new("/p"), options.clone()).unwrap();
    let entries = program_entries(dir.path(), &mut open(Door::new(Image::new(), 1, false)));
    assert_eq!(entries.len(), 3);
    let main = dir.path().join("a.js").to_str().unwrap().as_bytes().to_vec();
    let folder = dir.path().to_str().unwrap().as_bytes().to_vec();
    let request = Request { folder: &folder, request: b"./a", paths: 1 };
    while let Some(seed) = budget.next_seed() {
        let mut random = Random::new(seed);
        let door = Door::new(Image::new(), 1, false);
        door.forget();
        let mut shard = open(door);
        for (key, parts) in &entries {
            let mut parts = parts.clone();
            let other = parts.concat();
            if let Some(part) = parts.first_mut() {
                mutate(part, &other, &mut random);
            }
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            shard.put(key, &parts, PutMeta::default()).unwrap();
        }
        let mut programs = Programs::new(b"profile", &folder);
        let (peak, ()) = peak_of(|| {
            // A request leads to an existing file or is unknown.
            if let Some(real) = programs.resolve(&mut shard, &request).unwrap()
                && real != main
            {
                assert!(Path::new(std::str::from_utf8(&real).unwrap()).is_file(), "seed {seed}: {real:?}");
            }
            if let Loaded::Hit { parts: [_, code, _], .. } = programs.load(&mut shard, &main).unwrap() {
                assert_eq!(code.as_slice(), b"bytecode");
            }
            let _ = programs.noted(&mut shard, b"name").unwrap();
            let _ = programs.improve(&mut shard, &main, b"longer bytecode".to_vec(), true).unwrap();
            programs.publish(&mut shard).unwrap();
        });
        assert!(peak <= 8 << 20, "seed {seed}: {peak} bytes");
        budget.count(1);
    }
}

/// Writes one specimen of each kind to the corpus.
#[test]
#[ignore = "writes into the repository"]
fn make_corpus() {
    for (name, bytes) in [("row", row()), ("payload", payload()), ("artifact", artifact())] {
        let to = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/corpus/{name}.bytes"));
        std::fs::write(to, bytes).unwrap();
    }
}
