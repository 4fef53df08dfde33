// LISTEN: what other sessions announce with NOTIFY.

import CLibPQ

/// One announcement on a channel.
package struct Notification: Sendable, Hashable {
  package let channel: String
  package let payload: String
  package let backendProcessID: Int32
}

extension Connection {
  package mutating func listen(to channel: String) throws(PostgresError) {
    try script("LISTEN \(Query.quoted(identifier: channel))")
  }

  /// Waits until something is announced on a channel that this connection listens to.
  ///
  /// - Parameter wake: ends the wait early, as the connection's own does.
  /// - Returns: all that has arrived; nothing when the time is up or the wait was ended.
  package mutating func waitForNotifications(
    timeout: Duration, wake other: WakeDescriptor? = nil
  ) throws(PostgresError) -> [Notification] {
    precondition(running == nil, "a statement is under way: receive its result first")
    let attempted = "wait for notifications"
    if brokenReason != nil { throw brokenError(attempted) }
    let deadline = ContinuousClock.now + timeout
    while true {
      let arrived = takeNotifications()
      if !arrived.isEmpty { return arrived }
      let outcome = Waiting.wait(
        socket: PQsocket(handle.raw), wakes: (wake, other), until: deadline)
      if outcome.isReadable,
        PQconsumeInput(handle.raw) == 0 || PQstatus(handle.raw) != CONNECTION_OK
      {
        brokenReason = handle.lossMessage
        throw PostgresError(.connectionLost, handle.lossMessage, attempted: attempted)
      }
      if outcome.isWoken {
        wake.drain()
        other?.drain()
        return takeNotifications()
      }
      if outcome.isTimedOut { return [] }
    }
  }

  private func takeNotifications() -> [Notification] {
    var notifications: [Notification] = []
    while let raw = PQnotifies(handle.raw) {
      notifications.append(
        Notification(
          channel: String(cString: raw.pointee.relname),
          payload: String(cString: raw.pointee.extra),
          backendProcessID: raw.pointee.be_pid))
      PQfreemem(raw)
    }
    return notifications
  }
}
