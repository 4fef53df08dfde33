// The program that runs, and those that lie beside it.

package enum OwnProgram {
  /// The kernel's name of it: also right when it was started by another, or through a link.
  package static var path: String? { Files.target(of: "/proc/self/exe") }

  package static var folder: String? { path.map(Files.folder(of:)) }
}
