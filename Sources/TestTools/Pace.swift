// How slow the machine is now, and time as a calm one would count it. A wait of a test, and a bound on
// what it measured, mean that time: so they hold on a machine of half the speed, and beside other
// programs, and are as strict as they say on one that is at rest.

import Foundation
import Glibc
import Synchronization

/// A fixed piece of work (counting, a new process, a page forced to disk) is done once a second and
/// compared with what it took on a calm machine; seconds pass as much more slowly as it takes longer.
package enum Pace {
  /// Seconds since some moment, as a calm machine would count them; never faster than the clock.
  package static var seconds: Double { Meter.shared.seconds }

  /// How many times as long as on a calm machine the piece of work takes now; at least 1.
  package static var slowness: Double { Meter.shared.slowness }

  /// How long a test waits for what comes in a moment where nothing is wrong. One that is given what
  /// it waits for does not wait for long, so only a failure costs this.
  package static let patienceSeconds = 60.0

  /// For limits that programs under test are given, in seconds of the clock: how many times as long, on a
  /// machine that is as slow as this one. Some are waited out whole, so there is an end to it.
  package static var stretch: Double { min(slowness, mostStretch) }
  private static let mostStretch = 4.0

  package static func stretched(_ seconds: Double) -> Duration { .seconds(seconds * stretch) }
}

/// Measures in seconds as a calm machine would count them.
package struct Stopwatch: Sendable {
  private let start = Pace.seconds

  package init() {}

  package var seconds: Double { Pace.seconds - start }
}

private final class Meter: Sendable {
  static let shared = Meter()

  private struct State {
    var at: ContinuousClock.Instant
    var seconds = 0.0
    /// The newest last.
    var slownesses: [Double]
    /// The most that was told: a slowness that is found late counts for the time before, too, and no watch goes
    /// back for that.
    var told = 0.0

    /// The worst of the last few: what is slow is so in bursts.
    var slowness: Double { slownesses.max() ?? 1 }

    func seconds(at now: ContinuousClock.Instant) -> Double {
      seconds + (now - at) / .seconds(1) / slowness
    }

    mutating func tell(at now: ContinuousClock.Instant) -> Double {
      told = max(told, seconds(at: now))
      return told
    }
  }

  private static let pauseMicroseconds: useconds_t = 1_000_000
  private static let samplesKept = 4

  private let work = PieceOfWork()
  private let state: Mutex<State>

  private init() {
    let first = work.slowness()
    state = Mutex(State(at: .now, slownesses: [first]))
    Thread.detachNewThread { [self] in
      while true {
        usleep(Self.pauseMicroseconds)
        let slowness = work.slowness()
        state.withLock { state in
          let now = ContinuousClock.now
          // Also this work was waited for at the pace that it found.
          state.slownesses = state.slownesses.suffix(Self.samplesKept - 1) + [slowness]
          state.seconds = state.seconds(at: now)
          state.at = now
        }
      }
    }
  }

  var slowness: Double { state.withLock { $0.slowness } }
  var seconds: Double { state.withLock { $0.tell(at: .now) } }
}

/// Some of what tests wait for, always the same.
private struct PieceOfWork: Sendable {
  /// What it took on two calm cores of 2026, where most of it was counting.
  private static let calmMilliseconds = 27.0
  /// More than a scheduler lets a thread run at once beside others.
  private static let numbers = 4_000_000
  private static let pageBytes = 8_192
  /// Beyond this a bound would not be one any more.
  private static let mostSlowness = 30.0

  private let file: Int32

  init() {
    var template = Array("/tmp/wharf-pace-XXXXXX".utf8CString)
    file = mkstemp(&template)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    unlink(template)
  }

  func slowness() -> Double {
    let took = ContinuousClock().measure {
      count()
      spawn()
      write()
    }
    return min(max(took / .milliseconds(Self.calmMilliseconds), 1), Self.mostSlowness)
  }

  /// Calls of a library that no compiler can leave out.
  private func count() {
    var seed: [UInt16] = [1, 2, 3]
    var left = Self.numbers
    while left > 0 {
      nrand48(&seed)
      left -= 1
    }
  }

  private func spawn() {
    var pid = pid_t()
    var arguments = [strdup("/bin/true"), nil]
    defer { free(arguments[0]) }
    guard posix_spawn(&pid, "/bin/true", nil, nil, &arguments, environ) == 0 else { return }
    waitpid(pid, nil, 0)
  }

  private func write() {
    let page = [UInt8](repeating: 1, count: Self.pageBytes)
    pwrite(file, page, page.count, 0)
    fsync(file)
  }
}
