// `wharfd recover`: begin a new era, after a restore or the promotion of a standby.

import ArgumentParser
import ControlPlane
import EventLog
import Foundation
import Hosting
import Postgres
import Program
import Time

struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Begin a new era, after a restore or the promotion of a standby.",
    discussion: """
      Verifies the log, says where it ends, and asks. Stop every wharfd of this database first. An \
      agent that saw more of the log than is here keeps running what runs, changes nothing, and \
      raises an alarm, until someone says 'wharf node accept-era NODE'.

      With --new-secret the log goes on with the secret in --secret-file, which is made if absent: for \
      when the one before is lost for good. Engines that run keep their old keys, and are not reached \
      until their replicas are placed anew; a command of before, sent again, is told from a new one no \
      more; signed heads have another key; names and words of persons stay sealed for ever, and show \
      as (forgotten): run 'wharfd rebuild' before the first start.
      """)

  @Flag(help: "Begin it without asking.") var yes = false
  @Flag(help: "Also where nothing tells that this is another database: a snapshot of its disk.")
  var sameDatabase = false
  @Flag(help: "The cluster secret is lost: go on with the one in --secret-file.")
  var newSecret = false
  @Option(help: "File of the new secret; made if absent.", transform: Paths.named)
  var secretFile: String?
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard newSecret == (secretFile != nil) else {
      throw ValidationError("--new-secret and --secret-file go together")
    }
  }

  func run() throws {
    let configuration = try Daemon.database(database.database)
    let progress = Progress("verified")
    do {
      _ = try Migrator.migrate(configuration)
      var connection = try Connection(configuration, timeout: .seconds(10))
      let recovery = try Recovery(&connection) { progress.show($0, of: $1) }
      progress.end()
      say(recovery.finding)
      let secret = try secretFile.map { try Bootstrap.clusterSecret(file: $0) }
      if let secret, recovery.finding.isAtHome, !sameDatabase {
        return try take(secret, recovery, &connection)
      }
      if recovery.finding.isAtHome, !sameDatabase {
        print(
          """
          Nothing tells that the log was moved, so no era is begun. If its disk was put back to an \
          earlier state: wharfd recover --same-database
          """)
        throw ExitCode.failure
      }
      guard
        yes || confirmed("Begin the era of position \(recovery.finding.head.next)")
      else {
        print("No era was begun.")
        throw ExitCode.failure
      }
      let bytes = Clocks.system.random.bytes(32)
      // Nobody sends this command a second time: its seal only has to be there.
      let head = try recovery.begin(
        &connection, secret: secret, commandID: Clocks.system.makeCommandID(),
        seal: Digest(bytes: bytes))
      print(
        """
        The era of position \(recovery.finding.head.next) began. The head is now \(head.position), \
        \(head.hash).
        Start wharfd, then look for alarms with: wharf node list
        """)
    } catch let code as ExitCode {
      throw code
    } catch {
      progress.end()
      print("No era was begun: \(error)")
      throw ExitCode.failure
    }
  }

  /// Nothing was moved: only the secret is another one.
  private func take(
    _ secret: ClusterSecret, _ recovery: Recovery, _ connection: inout Connection
  ) throws {
    guard yes || confirmed("Go on with the secret of fingerprint \(secret.fingerprint)") else {
      print("The log was left as it is.")
      throw ExitCode.failure
    }
    let bytes = Clocks.system.random.bytes(32)
    do {
      let head = try recovery.record(
        secret, &connection, commandID: Clocks.system.makeCommandID(), seal: Digest(bytes: bytes))
      print(
        """
        The log belongs to the new secret. The head is now \(head.position), \(head.hash).
        Give every wharfd this file as --secret-file, run wharfd rebuild, then start them.
        """)
    } catch let refusal as Refusal where refusal.code == "formatLevelTooLow" {
      print("This log says nothing of secrets, so a wharfd with the new one may lead it.")
    }
  }

  private func say(_ finding: Recovery.Finding) {
    print(
      """
      The log is sound. It ends at position \(finding.head) of the era of position \
      \(finding.era.position), recorded at \(finding.recordedAt), hash
        \(finding.hash)
      written into  \(finding.era.database)
      and is now in \(finding.database)
      Whoever saw more than position \(finding.head) acted on facts that are not here. Compare with:
        people    ~/.local/state/wharf/heads.json of each person, and their signed heads
        agents    seen.json in each agent's data folder
        gateways  the file beside each gateway's credential, .seen
        wharfd    the file beside each one's secret, .seen
      """)
  }

  private func confirmed(_ deed: String) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else {
      print("Nobody is there to ask, so pass --yes: \(deed).")
      return false
    }
    print("\(deed)? Write yes: ", terminator: "")
    fflush(nil)
    return readLine() == "yes"
  }
}
