// The data folder before anything is started in it: made, ours, writable, and open to the user that
// runs PostgreSQL.

import Glibc
import Machine

enum DataFolder {
  /// Makes the folder and those within it.
  static func prepare(_ wanted: Layout) throws(UpFailure) -> Layout {
    // As root, PostgreSQL's user must pass through; it can list nothing.
    try Files.prepareFolder(wanted.data, mode: geteuid() == 0 ? 0o711 : 0o700)
    guard let real = Files.realPath(wanted.data) else { throw Files.failure("find", wanted.data) }
    let layout = Layout(real: real)
    try requireOurs(layout)
    for folder in [layout.secrets, layout.agents, layout.run, layout.logs] {
      try Files.prepareFolder(folder)
    }
    guard access(layout.data, W_OK) == 0 else { throw Files.failure("write to", layout.data) }
    return layout
  }

  private static func requireOurs(_ layout: Layout) throws(UpFailure) {
    var facts = stat()
    guard stat(layout.data, &facts) == 0 else { throw Files.failure("look at", layout.data) }
    guard facts.st_uid == geteuid() else {
      let owner = getpwuid(facts.st_uid).map { String(cString: $0.pointee.pw_name) }
      throw UpFailure(
        "cannot use the data folder \(layout.data): it belongs to user "
          + "\(owner ?? "\(facts.st_uid)"), and this is user \(geteuid())",
        help: "run as that user, or choose another folder with --data DIR")
    }
    guard facts.st_mode & 0o022 == 0 else {
      throw UpFailure(
        "cannot use the data folder \(layout.data): users other than its owner may write to it",
        help: "chmod go-w \(layout.data), or choose another folder with --data DIR")
    }
  }

  /// PostgreSQL's user must be able to enter every folder on the way; asked by trying, since more
  /// than the mode of a folder may have a say.
  static func requireEntry(_ layout: Layout, for user: PostgresPrograms.User) throws(UpFailure) {
    guard !user.become.isEmpty else { return }
    var folders: [String] = []
    var path = ""
    for name in layout.data.split(separator: "/") {
      path += "/\(name)"
      // What is not there yet will be made so that it can be entered.
      guard Files.exists(path) else { break }
      folders.append(path)
    }
    let script =
      #"for folder; do cd "$folder" 2>/dev/null || { printf %s "$folder"; exit 9; }; done"#
    let said = ShortCommand.run(
      user.become + ["/bin/sh", "-c", script, "sh"] + folders, environment: ["LC_ALL": "C"])
    switch said?.code {
    case 0: return
    case 9:
      let folder = said?.output ?? ""
      throw UpFailure(
        "cannot run PostgreSQL in \(layout.data): as root it runs as user '\(user.name)', who cannot "
          + "enter \(folder)",
        help: folder == layout.data
          ? "let it pass: chmod a+x \(folder), or choose another folder with --data DIR"
          : "choose another folder with --data DIR, or let it pass: chmod a+x \(folder)")
    default:
      throw UpFailure("cannot run anything as user '\(user.name)': \(said?.output ?? "no answer")")
    }
  }
}
