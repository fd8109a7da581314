# packer init . && packer build tractfs.pkr.hcl, beside a program `tractfs` that was built with --static-swift-stdlib.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "~> 1"
    }
  }
}

source "amazon-ebs" "debian" {
  region        = "us-east-1"
  instance_type = "c6i.large"
  ssh_username  = "admin"
  ami_name      = "tractfs-{{timestamp}}"
  source_ami_filter {
    owners      = ["136693071363"] # Debian
    most_recent = true
    filters     = { name = "debian-12-amd64-*" }
  }
}

build {
  sources = ["source.amazon-ebs.debian"]
  provisioner "file" {
    source      = "tractfs"
    destination = "/tmp/tractfs"
  }
  provisioner "shell" {
    inline = [
      "sudo apt-get update",
      "sudo apt-get install -y awscli ca-certificates fuse3 libcurl4 libexpat1 libfuse3-3 libsqlite3-0 libssl3 libstdc++6",
      "sudo install -m 755 /tmp/tractfs /usr/bin/tractfs",
      "sudo ln -sf /usr/bin/tractfs /sbin/mount.tractfs",
      "sudo mkdir -p /mnt/hcp",
    ]
  }
}
