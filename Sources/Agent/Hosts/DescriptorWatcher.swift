// One thread that waits for descriptors to become readable: pidfds of holders, pipes from starts.
// Each is watched once; whoever wants more watches again.

import CLinux
import Glibc
import Machine
import Synchronization

package final class DescriptorWatcher: Sendable {
  private let core: Core

  package init() throws(FileProblem) {
    let wake = wharf_eventfd(0, wharf_eventfd_flags())
    guard wake >= 0 else { throw FileProblem(attempted: "create", path: "an eventfd", code: errno) }
    core = Core(wake: wake)
    let argument = Unmanaged.passRetained(core)
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Core>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard status == 0 else {
      argument.release()
      throw FileProblem(attempted: "start", path: "a thread", code: status)
    }
    pthread_detach(thread)
  }

  deinit { core.stop() }

  /// Calls `act` once, on the watcher's thread, when `descriptor` can be read or was hung up. The
  /// descriptor must stay open until then; `act` must not block.
  package func watch(_ descriptor: Int32, _ act: @escaping @Sendable () -> Void) {
    core.watch(descriptor, act)
  }

  /// Before a watched descriptor is closed. A watch that is just firing may still fire.
  package func forget(_ descriptor: Int32) { core.forget(descriptor) }

  private final class Core: Sendable {
    private struct State {
      var watched: [Int32: @Sendable () -> Void] = [:]
      var stopped = false
    }

    private let wake: Int32
    private let state = Mutex(State())

    init(wake: Int32) { self.wake = wake }

    deinit { close(wake) }

    func watch(_ descriptor: Int32, _ act: @escaping @Sendable () -> Void) {
      state.withLock { $0.watched[descriptor] = act }
      nudge()
    }

    func forget(_ descriptor: Int32) {
      state.withLock { _ = $0.watched.removeValue(forKey: descriptor) }
    }

    func stop() {
      state.withLock {
        $0.stopped = true
        $0.watched = [:]
      }
      nudge()
    }

    private func nudge() {
      var one: UInt64 = 1
      _ = write(wake, &one, 8)
    }

    func run() {
      while true {
        let (descriptors, stopped) = state.withLock { (Array($0.watched.keys), $0.stopped) }
        if stopped { return }
        var sources = ([wake] + descriptors).map {
          pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        guard poll(&sources, nfds_t(sources.count), -1) > 0 else { continue }
        if sources[0].revents != 0 {
          var count: UInt64 = 0
          _ = read(wake, &count, 8)
        }
        for source in sources.dropFirst() where source.revents != 0 {
          state.withLock { $0.watched.removeValue(forKey: source.fd) }?()
        }
      }
    }
  }
}
