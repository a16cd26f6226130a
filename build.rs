//! Link settings of the addon.

fn main() {
    napi_build::setup();

    // A background thread of the addon may outlive the environment (a worker, say) that loaded it.
    // Were the library unmapped with that environment, the thread's next instruction would be gone.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
