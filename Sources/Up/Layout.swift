// Where things are in the data folder of a system:
//
//   DIR/                  0711 as root (PostgreSQL's user passes through), otherwise 0700
//     admin.token         0600  the first admin's token; made by wharfd
//     system.json         0600  what `wharf up` was last asked for: ports, nodes, devices
//     secrets/            0700  cluster.secret, gateway.credential, NODE.join-token
//     postgres/           0700  PostgreSQL's files, of its user's; postgres.new while they are made
//     agents/NODE/        0700  the folder of one agent: its credential, ledger, engines' logs
//     run/                0700  supervisor.lock, status.json, and NAME.pid for each program
//     logs/               0700  NAME.log and the one before it, NAME.log.1
//
// PostgreSQL's socket is in a short folder elsewhere: see SocketFolder.

import Crypto
import Glibc
import Machine

package struct Layout: Hashable, Sendable {
  /// Absolute, without symbolic links.
  package let data: String

  package init(real data: String) { self.data = data }

  package var adminToken: String { "\(data)/admin.token" }
  var settings: String { "\(data)/system.json" }
  var secrets: String { "\(data)/secrets" }
  var clusterSecret: String { "\(secrets)/cluster.secret" }
  var gatewayCredential: String { "\(secrets)/gateway.credential" }
  /// Says that the gateway is known to the log.
  var gatewayKnown: String { "\(secrets)/gateway.registered" }
  func joinToken(_ node: String) -> String { "\(secrets)/\(node).join-token" }
  var postgres: String { "\(data)/postgres" }
  var newPostgres: String { "\(data)/postgres.new" }
  var agents: String { "\(data)/agents" }
  func agent(_ node: String) -> String { "\(agents)/\(node)" }
  package var run: String { "\(data)/run" }
  var lock: String { "\(run)/supervisor.lock" }
  var status: String { "\(run)/status.json" }
  func record(_ program: String) -> String { "\(run)/\(program).pid" }
  package var logs: String { "\(data)/logs" }
  func log(_ program: String) -> String { "\(logs)/\(program).log" }

  /// Eight digits that tell this system's folders elsewhere from those of others.
  var mark: String {
    SHA256.hash(data: Array(data.utf8)).prefix(4).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// What `--data` is when it is left out.
  package static func usualData(environment: [String: String] = Environment.own) -> String {
    if geteuid() == 0 { return "/var/lib/wharf" }
    if let share = environment["XDG_DATA_HOME"], share.hasPrefix("/") { return "\(share)/wharf" }
    return "\(Environment.home(environment) ?? "")/.local/share/wharf"
  }

  /// The folder that was named, made absolute; links in it are followed as far as it exists.
  package static func named(_ data: String?) -> Layout {
    let path = data ?? usualData()
    var absolute = path
    if !path.hasPrefix("/"), let here = getcwd(nil, 0) {
      defer { free(here) }
      absolute = "\(String(cString: here))/\(path)"
    }
    while absolute.count > 1 && absolute.hasSuffix("/") { absolute.removeLast() }
    return Layout(real: Files.realPath(absolute) ?? absolute)
  }
}
