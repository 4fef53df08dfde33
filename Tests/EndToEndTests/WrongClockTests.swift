// A real wharfd whose machine's clock is an hour off leads after one whose clock is right, and before
// it: the log is dated by its database, and no time falls.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing

@Suite(.timeLimit(.minutes(3))) struct WrongClockTests {
  /// Tells a program another time than its machine has. Written in C, for LD_PRELOAD.
  private static let shim = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <sys/time.h>
    #include <time.h>
    int clock_gettime(clockid_t clock, struct timespec *time) {
      static int (*real)(clockid_t, struct timespec *);
      if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
      int result = real(clock, time);
      if (clock == CLOCK_REALTIME) time->tv_sec += atol(getenv("SHIFT_SECONDS"));
      return result;
    }
    int gettimeofday(struct timeval *time, void *zone) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      time->tv_sec = now.tv_sec;
      time->tv_usec = now.tv_nsec / 1000;
      return 0;
    }
    """

  @Test func `a leader whose clock is an hour off dates nothing wrongly, and no time falls`()
    async throws
  {
    let wharfds = try await Wharfds()
    let folder = wharfds.folder
    try Data(Self.shim.utf8).write(to: URL(filePath: folder.path("shim.c")))
    let compiler = try Child(
      ["cc", "-shared", "-fPIC", "-o", folder.path("shim.so"), folder.path("shim.c"), "-ldl"],
      environment: folder.environment(), folder: folder)
    try #require(try await compiler.waitForExit() == .code(0), "\(compiler.errors)")
    let client = Client(wharfds, try wharfds.token())
    var connection = try wharfds.database.connect()
    for (round, hours) in [-1, 1].enumerated() {
      // Leads after the one whose clock is right, which is started again behind it.
      try await wharfds.kill9(1)
      try wharfds.start(
        1, with: ["LD_PRELOAD": folder.path("shim.so"), "SHIFT_SECONDS": "\(hours * 3_600)"])
      try await wharfds.ready(1)
      try await wharfds.kill9(0)
      try await eventually("the wrong clock leads", withinSeconds: 40) {
        try wharfds.leader() == 1
      }
      let name = try Name("dated-\(round)")
      let outcome = try await client.settle(
        client.call(PlaceMark(name: name)), from: 1, stays: true)
      guard case .stored(let position) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      // Its own clock is wrong indeed: it stands in the ids that it makes.
      let ids = try connection.query(
        Query(
          """
          SELECT abs(('x' || translate(left(command_id::text, 13), '-', ''))::bit(48)::int8 / 1000
            - extract(epoch FROM clock_timestamp())::int8 - $1) < 60
          FROM log.events WHERE type = 'leadershipTaken' ORDER BY position DESC LIMIT 1
          """, [Parameter(Int64(hours) * 3_600)]))
      #expect(try ids[0].decode(Bool.self, at: 0), "the shim does not work")
      let off = try connection.query(
        Query(
          """
          SELECT abs(extract(epoch FROM clock_timestamp() - recorded_at)) < 60 FROM log.events
          WHERE position = $1
          """, [Parameter(position.value)]))
      #expect(try off[0].decode(Bool.self, at: 0), "dated by the clock that is \(hours) h off")
      try wharfds.start(0)
      try await wharfds.ready(0)
    }
    let falls = try connection.query(
      """
      SELECT position FROM (
        SELECT position, recorded_at < lag(recorded_at) OVER (ORDER BY position) AS falls
        FROM log.events) t WHERE falls
      """)
    #expect(falls.count == 0)
    #expect(try await wharfds.verify().status == .code(0))
    await wharfds.remove()
  }
}
