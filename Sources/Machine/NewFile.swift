// A file on its way: under a name of its own until it is whole and on disk, and then under the one that it is
// meant to have. Whoever reads that name meets what was there before, or all of this; one that is let go of
// before is as if it had never been.

import Glibc

package final class NewFile {
  private let path: String
  private let temporary: String
  private var descriptor: Int32
  private var isNamed = false

  /// Of its owner only. What a process of this number left when it was killed makes way.
  package init(_ path: String) throws(FileProblem) {
    self.path = path
    temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileProblem(attempted: "write", path: temporary) }
  }

  package func write(_ content: [UInt8]) throws(FileProblem) {
    try Files.writeAll(content, to: descriptor, path)
  }

  /// Takes the place of what has the name.
  package func replace(durably: Bool = true) throws(FileProblem) {
    if durably { try sync() }
    guard rename(temporary, path) == 0 else { throw FileProblem(attempted: "write", path: path) }
    isNamed = true
    if durably { try Files.syncFolder(of: path) }
  }

  /// Takes the name if nothing has it.
  package func create() throws(FileProblem) {
    try sync()
    guard link(temporary, path) == 0 else { throw FileProblem(attempted: "write", path: path) }
    isNamed = true
    unlink(temporary)
    try Files.syncFolder(of: path)
  }

  /// The open file, which is now the caller's to close.
  package func takeDescriptor() -> Int32 {
    defer { descriptor = -1 }
    return descriptor
  }

  private func sync() throws(FileProblem) {
    guard fsync(descriptor) == 0 else { throw FileProblem(attempted: "write", path: path) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if !isNamed { unlink(temporary) }
  }
}
