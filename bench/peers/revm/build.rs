// SPDX-License-Identifier: Apache-2.0
//! Takes revm's version from Cargo.lock, for the greeting.
fn main() {
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    let version = lock
        .split("[[package]]")
        .find(|package| package.contains("\nname = \"revm\"\n"))
        .and_then(|package| package.split("version = \"").nth(1)?.split('"').next())
        .unwrap_or("?");
    println!("cargo:rustc-env=REVM_VERSION={version}");
    println!("cargo:rerun-if-changed=Cargo.lock");
}
