//! The sanitizer was silent because it was not there. Only `npm run prove:sanitizer` runs this, and only to see it fail.

#[test]
#[ignore = "undefined; the sanitizer must end the process for it"]
#[expect(unsafe_code, reason = "what the sanitizer must find")]
fn a_read_behind_the_end_is_found() {
    let bytes: Box<[u8]> = std::hint::black_box(vec![1; 16].into());
    // SAFETY: there is none.
    let behind = unsafe { bytes.as_ptr().add(std::hint::black_box(bytes.len())).read_volatile() };
    println!("it was {behind}");
}
