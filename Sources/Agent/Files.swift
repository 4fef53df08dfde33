// Files that must be whole, private and on disk: what the agent knows across its own death.

import Glibc
import Hosting

package struct FileProblem: Error, Equatable, CustomStringConvertible {
  package let attempted: String
  package let path: String
  package let code: Int32

  package var description: String {
    "cannot \(attempted) \(path): \(String(cString: strerror(code)))"
  }
}

package enum Files {
  /// Anything larger among the agent's own files is not one that it wrote.
  package static let longestBytes = 16 << 20

  /// - Returns: the content, or nil when there is no such file.
  package static func read(_ path: String, longest: Int = longestBytes) throws(FileProblem)
    -> [UInt8]?
  {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw FileProblem(attempted: "read", path: path, code: errno)
    }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw FileProblem(attempted: "read", path: path, code: errno)
      }
      if count == 0 { return content }
      guard content.count + count <= longest else {
        throw FileProblem(attempted: "read", path: path, code: EFBIG)
      }
      content += buffer[..<count]
    }
  }

  /// Replaces a file whole or not at all; readable by its owner only.
  ///
  /// - Parameter durably: it survives a loss of power once this returns.
  package static func write(
    _ content: [UInt8], to path: String, durably: Bool = true
  ) throws(FileProblem) {
    let temporary = path + ".new"
    do throws(FileProblem) {
      try writeWhole(content, to: temporary, durably: durably)
      guard rename(temporary, path) == 0 else {
        throw FileProblem(attempted: "replace", path: path, code: errno)
      }
    } catch {
      unlink(temporary)
      throw error
    }
    if durably { try syncFolder(of: path) }
  }

  private static func writeWhole(
    _ content: [UInt8], to path: String, durably: Bool
  ) throws(FileProblem) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileProblem(attempted: "create", path: path, code: errno) }
    defer { close(descriptor) }
    var written = 0
    while written < content.count {
      let count = content.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, content.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileProblem(attempted: "write", path: path, code: errno)
      }
      written += count
    }
    if durably, fsync(descriptor) != 0 {
      throw FileProblem(attempted: "write", path: path, code: errno)
    }
  }

  private static func syncFolder(of path: String) throws(FileProblem) {
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileProblem(attempted: "open", path: folder, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw FileProblem(attempted: "write", path: folder, code: errno)
    }
  }

  /// Makes a folder for its owner only, and those above it; one that is there is left as it is.
  package static func makeFolder(_ path: String) throws(FileProblem) {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      try makeFolder(String(path[..<slash]))
      if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    }
    throw FileProblem(attempted: "make the folder", path: path, code: errno)
  }

  /// Names in a folder, sorted; none when it is not there.
  package static func list(_ path: String) throws(FileProblem) -> [String] {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return [] }
      throw FileProblem(attempted: "list", path: path, code: errno)
    }
    defer { close(descriptor) }
    return try names(in: descriptor, path)
  }

  private static func names(in descriptor: Int32, _ path: String) throws(FileProblem) -> [String] {
    // The folder takes a descriptor of its own with it when it is closed.
    let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard own >= 0, let folder = fdopendir(own) else {
      if own >= 0 { close(own) }
      throw FileProblem(attempted: "list", path: path, code: errno)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes a file, or a folder with all in it. It follows no link, also none that takes a folder's place
  /// meanwhile: what is in the folder may be another user's.
  package static func remove(_ path: String) throws(FileProblem) {
    try remove(path, at: AT_FDCWD, path)
  }

  private static func remove(
    _ name: String, at parent: Int32, _ path: String
  ) throws(FileProblem) {
    if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
    let isFolder = errno == EISDIR || errno == EPERM
    guard isFolder else { throw FileProblem(attempted: "remove", path: path, code: errno) }
    let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard folder >= 0 else {
      if errno == ENOENT { return }
      throw FileProblem(attempted: "remove", path: path, code: errno)
    }
    defer { close(folder) }
    for inner in try names(in: folder, path) { try remove(inner, at: folder, "\(path)/\(inner)") }
    guard unlinkat(parent, name, Int32(AT_REMOVEDIR)) == 0 || errno == ENOENT else {
      throw FileProblem(attempted: "remove", path: path, code: errno)
    }
  }

  /// The last lines of a file that may be long: at most `bytes` of it.
  package static func tail(_ path: String, bytes: Int) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var buffer = [UInt8](repeating: 0, count: bytes)
    let count = pread(descriptor, &buffer, bytes, off_t(max(0, size - bytes)))
    return count > 0 ? Array(buffer[..<count]) : []
  }
}
