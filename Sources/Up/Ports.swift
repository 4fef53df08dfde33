// Ports of a whole system, which must be free before anything of it is started.

import Glibc
import Machine

enum Ports {
  static let address = "127.0.0.1"

  /// - Parameters:
  ///   - port: a TCP port of the loopback address.
  ///   - flag: with what another one is chosen.
  ///   - ours: processes that may have it.
  static func requireFree(
    _ port: Int, for use: String, flag: String, ours: Set<pid_t>
  ) throws(UpFailure) {
    guard let code = Port.obstacle(port, at: address) else { return }
    guard code == EADDRINUSE else {
      throw UpFailure(
        "cannot listen on \(address):\(port) for the \(use): \(Files.reason(code))",
        help: "choose another port: \(flag) PORT")
    }
    let holders = Port.holders(of: port)
    if !holders.isEmpty && holders.isSubset(of: ours) { return }
    let who = holders.sorted().map {
      "\(ProcessTable.status(of: $0)?.name ?? "process") (pid \($0))"
    }
    throw UpFailure(
      "cannot listen on \(address):\(port) for the \(use): the port is in use"
        + (who.isEmpty ? "" : " by \(who.joined(separator: ", "))"),
      help: "stop that program, or choose another port: \(flag) PORT")
  }
}
