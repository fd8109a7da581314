import ArgumentParser

/// The command.
@main
struct Tractfs: ParsableCommand {}
