class DockerRegistryCli < Formula
  desc "Ask a container registry: tags, platforms, digests, labels, changes"
  homepage "https://github.com/OWNER/docker-registry"
  version "@VERSION@"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "https://github.com/OWNER/docker-registry/releases/download/v@VERSION@/docker-registry-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256:aarch64-apple-darwin@"
    end
    on_intel do
      url "https://github.com/OWNER/docker-registry/releases/download/v@VERSION@/docker-registry-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256:x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/OWNER/docker-registry/releases/download/v@VERSION@/docker-registry-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "https://github.com/OWNER/docker-registry/releases/download/v@VERSION@/docker-registry-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "docker-registry"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/docker-registry.bash" => "docker-registry"
    fish_completion.install "completions/docker-registry.fish"
    zsh_completion.install "completions/_docker-registry"
    (lib/"docker/cli-plugins").install_symlink bin/"docker-registry"
  end

  def caveats
    <<~TEXT
      For 'docker registry', name the directory of its plugins in ~/.docker/config.json:
        "cliPluginsExtraDirs": ["#{HOMEBREW_PREFIX}/lib/docker/cli-plugins"]
    TEXT
  end

  test do
    assert_equal "docker-registry #{version}", shell_output("#{bin}/docker-registry --version").strip
  end
end
