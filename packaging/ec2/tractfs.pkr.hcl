# packer init . && packer build tractfs.pkr.hcl, in a folder with tractfs.deb, the package made by scripts/package on Debian 12.
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
    source      = "tractfs.deb"
    destination = "/tmp/tractfs.deb"
  }
  provisioner "shell" {
    inline = [
      "sudo apt-get update",
      "sudo apt-get install -y awscli /tmp/tractfs.deb",
      "sudo mkdir -p /mnt/hcp",
    ]
  }
}
