//! The sanitizer reported nothing because it was not active. Only `npm run prove:sanitizer` runs this test,
//! which must fail.

#[test]
#[ignore = "undefined behaviour; the sanitizer must end the process"]
#[expect(unsafe_code, reason = "what the sanitizer must find")]
fn a_read_past_the_end_is_found() {
    let bytes: Box<[u8]> = std::hint::black_box(vec![1; 16].into());
    // SAFETY: out of bounds on purpose.
    let behind = unsafe { bytes.as_ptr().add(std::hint::black_box(bytes.len())).read_volatile() };
    println!("it was {behind}");
}
