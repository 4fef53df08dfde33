// Every wait ends: by its nudge, by its time, or by its task.

import TestTools
import Testing

@testable import Agent

@Suite(.bounded) struct `Nudges` {
  @Test func `a pause that is over at once ends the wait`() async {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          let nudge = Nudge()
          for _ in 0..<50_000 { await nudge.wait(longestMilliseconds: 0) }
        }
      }
    }
  }

  @Test func `one nudge ends one wait, before it or within it`() async {
    let nudge = Nudge()
    let watch = Stopwatch()
    nudge.nudge()
    await nudge.wait(longestMilliseconds: 60_000)
    Task {
      try await Task.sleep(for: .milliseconds(20))
      nudge.nudge()
    }
    await nudge.wait(longestMilliseconds: 60_000)
    #expect(watch.seconds < 30)
  }
}
