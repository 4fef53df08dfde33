// Folders: made for their owner, listed, and removed with all that is in them.

import Glibc

extension Files {
  package static func isFolder(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
  }

  /// Where a file of this path lies.
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The path without links and dots; nil when there is nothing.
  package static func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  /// Makes a folder, and those above it; one that is there is left as it is.
  ///
  /// - Parameter mode: whatever the umask is.
  /// - Parameter above: the mode of those above it.
  package static func makeFolder(
    _ path: String, mode: mode_t = 0o700, above: mode_t = 0o700
  ) throws(FileProblem) {
    if isFolder(path) { return }
    let parent = folder(of: path)
    if parent != "/", parent != "." { try makeFolder(parent, mode: above, above: above) }
    guard mkdir(path, mode) == 0 else {
      let problem = FileProblem(attempted: "make the folder", path: path)
      if problem.code == EEXIST, isFolder(path) { return }
      throw problem
    }
    chmod(path, mode)
  }

  /// Names in a folder, sorted; none when it is not there.
  package static func list(_ path: String) throws(FileProblem) -> [String] {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return [] }
      throw FileProblem(attempted: "list", path: path)
    }
    defer { close(descriptor) }
    return try names(in: descriptor, path)
  }

  /// The same; none when it cannot be listed either.
  package static func names(in folder: String) -> [String] { (try? list(folder)) ?? [] }

  private static func names(in descriptor: Int32, _ path: String) throws(FileProblem) -> [String] {
    // The folder takes a descriptor of its own with it when it is closed.
    let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard own >= 0, let folder = fdopendir(own) else {
      let problem = FileProblem(attempted: "list", path: path)
      if own >= 0 { close(own) }
      throw problem
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
    guard isFolder else { throw FileProblem(attempted: "remove", path: path) }
    let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard folder >= 0 else {
      if errno == ENOENT { return }
      throw FileProblem(attempted: "remove", path: path)
    }
    defer { close(folder) }
    for inner in try names(in: folder, path) { try remove(inner, at: folder, "\(path)/\(inner)") }
    guard unlinkat(parent, name, Int32(AT_REMOVEDIR)) == 0 || errno == ENOENT else {
      throw FileProblem(attempted: "remove", path: path)
    }
  }
}
