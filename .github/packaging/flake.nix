{
  description = "Ask a container registry: tags, platforms, digests, labels, changes";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  # Built from source: Cargo.toml has the version, Cargo.lock the checksums.
  outputs = { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      inherit (lib.importTOML ../../Cargo.toml) package;
      build = pkgs: pkgs.rustPlatform.buildRustPackage {
        pname = package.name;
        inherit (package) version;
        src = ../..;
        cargoLock.lockFile = ../../Cargo.lock;
        # They want what tests/run installs.
        doCheck = false;
        nativeBuildInputs = [ pkgs.installShellFiles ];
        postInstall = ''
          installManPage man/*.1
          installShellCompletion completions/docker-registry.{bash,fish} --zsh completions/_docker-registry
          mkdir -p $out/libexec/docker/cli-plugins
          ln -s $out/bin/docker-registry $out/libexec/docker/cli-plugins/
        '';
        meta = {
          inherit (package) description;
          homepage = package.repository;
          license = lib.licenses.asl20;
          mainProgram = "docker-registry";
        };
      };
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
    in
    {
      packages = lib.genAttrs systems (system: { default = build nixpkgs.legacyPackages.${system}; });
    };
}
