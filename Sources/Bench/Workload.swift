// What is appended: changes of the terms of agreements, whose event and reason come to about 300
// bytes. Each producer changes agreements of its own, in turn, so that every command changes
// something and the state stays of one size.

import EventLog
import Glibc
import Hosting
import Synchronization

package enum Workload {
  package static let agreements = 1_024

  /// Ids of a run start at random, and are counted from there: asking the kernel for each would be
  /// measured, too.
  private static let seed = UInt64.random(in: .min ... .max)
  private static let idsMade = Atomic<UInt64>(0)

  package static func commandID() -> CommandID {
    let number = idsMade.wrappingAdd(1, ordering: .relaxed).newValue
    return CommandID(at: .wall, random: (seed, number))
  }

  private static let reason =
    "agreed by mail after the quarterly review with the provider, see the file"

  static func providerName(_ number: Int) throws -> Name { try Name("provider-\(number)") }

  /// Most of what a log stores is of machines. The reasons of persons are sealed with their keys.
  package enum Callers: Sendable { case machines, persons }

  static func principal(_ producer: Int, _ callers: Callers = .machines) -> Principal {
    let kind: Kind =
      switch callers {
      case .machines: .node
      case .persons: .person
      }
    return Principal(actor: .of(Stream(kind, Position(Int64(producer) + 1))), role: .admin)
  }

  /// The command that a producer sends as its nth.
  static func amend(
    producer: Int, of producers: Int, sequence: Int, by callers: Callers = .machines
  ) throws -> CommandRequest {
    let own = (agreements - producer + producers - 1) / producers
    let number = producer + producers * (sequence % own)
    // The base has 90 days: never the same twice in a row.
    let days = (100 + sequence / own) % (Terms.longestNoticeDays + 1)
    return CommandRequest(
      id: commandID(),
      command: AmendAgreement(
        provider: try providerName(number), scope: nil, audiences: nil, until: nil,
        noticeDays: days),
      principal: principal(producer, callers), reason: try Text(reason))
  }

  /// The commands that make what the others change.
  static func foundation() throws -> [CommandRequest] {
    let terms = Terms(
      scope: [.evaluation, .fineTuning, .inference, .training], audiences: [.external, .internal],
      from: Timestamp("2025-05-01")!, until: Timestamp("2035-05-01")!, noticeDays: 90)
    return try (0..<agreements).flatMap { number in
      let commands: [any Command] = [
        RegisterProvider(name: try providerName(number)),
        SignAgreement(provider: try providerName(number), terms: terms),
      ]
      return commands.map {
        CommandRequest(id: commandID(), command: $0, principal: principal(0))
      }
    }
  }
}

extension Timestamp {
  /// This machine's wall clock.
  static var wall: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }
}
