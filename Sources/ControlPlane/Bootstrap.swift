// The first moments of a system: the cluster secret, and the first admin.

import EngineTemplates
import EventLog
import Hosting
import Logging
import Time
import Wire

package enum Bootstrap {
  /// The secret that all wharfd of a system share: read from its file, or made there when there is
  /// none yet, and `mayMake` says that there cannot be one elsewhere.
  package static func clusterSecret(
    file: String, random: Clocks.Random = Clocks.system.random,
    mayMake: () throws -> Bool = { true }
  ) throws -> ClusterSecret {
    if try SecretFile.read(file) == nil {
      guard try mayMake() else {
        throw SecretFile.Failure(
          "there is no \(file), and the log was begun with a cluster secret",
          help:
            "copy the file from another wharfd of this system, or from a backup; if it is lost for "
            + "good: wharfd recover --new-secret --secret-file \(file)")
      }
      let bytes = random.bytes(ClusterSecret.byteCount)
      do {
        try SecretFile.create(file, bytes.hexadecimal)
      } catch {
        // Another wharfd may have made it meanwhile: then that one holds.
        guard try SecretFile.read(file) != nil else { throw error }
      }
    }
    guard let text = try SecretFile.read(file), let bytes = [UInt8](hexadecimal: text),
      bytes.count == ClusterSecret.byteCount
    else {
      throw SecretFile.Failure(
        "\(file) holds no cluster secret: it must be \(ClusterSecret.byteCount * 2) hexadecimal digits",
        help: "copy it from another wharfd of this system")
    }
    return ClusterSecret(bytes: bytes)
  }

  /// While the log knows no person: writes a token to the file, then admits who holds it. Killed in
  /// between, the next start finds the token and goes on.
  package static func admitFirstAdmin(
    file: String, member: LogMember, commandID: CommandID, logger: Logger
  ) async throws {
    var random = member.clocks.random
    if try SecretFile.read(file) == nil {
      try SecretFile.create(file, Secret(.person, using: &random).text)
    }
    guard let text = try SecretFile.read(file) else { return }
    let token = Secret(text: text)
    let command = AdmitFirstAdmin(
      name: try Name("admin"), token: token.digest, prefix: try Text(token.prefix))
    do {
      _ = try await member.submit(
        CommandRequest(id: commandID, command: command, principal: .wharfd))
      logger.info("the first admin's token is in \(file)")
    } catch {
      // Another wharfd was first.
      guard case .refused(let refusal, _) = error, refusal.code == "notFirst" else { throw error }
    }
  }

  /// Defines the engines that this program brings and the log does not know. One that people defined
  /// anew is left as they want it.
  package static func defineEngines(
    member: LogMember, makeCommandID: () -> CommandID, logger: Logger
  ) async throws {
    for (file, text) in EngineTemplates.all {
      let command = try EngineTemplate(text, file: file).define
      guard member.board.current.state.engines.named(command.launch.engine) == nil else { continue }
      let receipt = try await member.submitOwn(
        CommandRequest(id: makeCommandID(), command: command, principal: .wharfd))
      if receipt != nil { logger.info("defined engine \(command.launch.engine)") }
    }
  }
}
